"""Forms of the stock: a delivery, a loss, a count, a threshold, a recall."""

from datetime import date
from typing import Any

from django import forms
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from healthrecords.console.forms import date_field, text_field
from healthrecords.directory.models import Location
from immunizations.admin.entry_forms import VaccineForm, is_day
from immunizations.stock.actions import MOST, Delivery
from immunizations.stock.models import Funding


def doses(label: str, least: int = 1, required: bool = True) -> forms.IntegerField:
    """A number of doses."""
    widget = UnfoldAdminTextInputWidget(attrs={"inputmode": "numeric"})
    return forms.IntegerField(label=label, min_value=least, max_value=MOST, required=required, widget=widget)


class DeliveryForm(VaccineForm):
    """Doses that came in."""

    expires = date_field("Expires")
    quantity = doses("Doses received")
    funding = forms.ChoiceField(choices=Funding.choices, widget=UnfoldAdminSelectWidget)
    location = forms.ChoiceField(required=False, widget=UnfoldAdminSelectWidget)
    threshold = doses("List it below", 0, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["location"].choices = [("", "No place"), *places()]  # type: ignore[attr-defined]

    def is_blank(self) -> bool:
        return False

    def clean_lot(self) -> str:
        lot: str = self.cleaned_data["lot"].strip()
        if not lot:
            raise forms.ValidationError("Write the lot number on the box.")
        return lot

    def clean_expires(self) -> str:
        """The last day; labels without a day mean the last of the month."""
        day: str = self.cleaned_data["expires"]
        if not is_day(day):
            raise forms.ValidationError("Write the last day on which it may be given, such as 2027-05-31.")
        return day

    def delivery(self) -> Delivery:
        """What the stock takes in."""
        said = self.cleaned_data
        return Delivery(
            said["lot"], said["quantity"], said["cvx"], said["ndc"], said["mvx"], date.fromisoformat(said["expires"]),
            said["funding"], said["location"], said["threshold"],
        )  # fmt: skip


class WasteForm(forms.Form):
    quantity = doses("Doses lost")
    reason = text_field("Why", 500)


class CountForm(forms.Form):
    quantity = doses("Doses on the shelf", 0)
    reason = text_field("Remark", 500)


class ThresholdForm(forms.Form):
    quantity = doses("List it below", 0)


class RecallForm(forms.Form):
    reason = text_field("Why is it recalled?", 500, "As the manufacturer or the FDA says it.")


def places() -> list[tuple[str, str]]:
    """The locations to choose from, by name. The directory is open to whoever may see the stock."""
    rows: Any = Location.objects
    return [(place.logical_id, str(place)) for place in rows.live().order_by("name_key", "uuid")[:500]]
