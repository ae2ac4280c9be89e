"""What is typed at a visit, or from an older record: once for all vaccines, and a line for each."""

from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AutocompleteSelect
from django.utils import timezone
from unfold.widgets import UnfoldAdminTextInputWidget, UnfoldBooleanWidget

from healthrecords.console.forms import coded, date_field, printable, text_field
from healthrecords.directory.models import Location, Practitioner
from healthrecords.fhir.primitives import DATE, day_span
from immunizations import models as m
from immunizations.admin import labels
from immunizations.codes import lookup
from immunizations.codes.ndc import candidates
from immunizations.codes.scanning import scan
from immunizations.stock.remarks import warnings_of

if TYPE_CHECKING:
    BaseFormSet = forms.BaseFormSet[Any]
else:
    BaseFormSet = forms.BaseFormSet

MOST_LINES = 30
_WIDEST = Decimal(100)  # mL of one dose


def picked(model: Any, owner: Any, column: str, label: str) -> forms.ModelChoiceField:
    """A record of the directory, chosen by a search."""
    widget = AutocompleteSelect(owner._meta.get_field(column), admin.site)
    return forms.ModelChoiceField(
        model.objects.none(), label=label, required=False, to_field_name="logical_id", widget=widget
    )


def is_day(text: str) -> bool:
    """Whether `text` is a whole date that exists."""
    try:
        return len(text) == 10 and bool(DATE.fullmatch(text)) and bool(day_span(text))
    except ValueError:
        return False


class OnceForm(forms.Form):
    """What holds for all lines. `entry` names the whole entry, so that it is saved once, however often it is sent."""

    entry = forms.UUIDField(widget=forms.HiddenInput)


class VisitForm(OnceForm):
    """A visit: when, where, by whom, and who pays."""

    given_on = date_field("Given on")
    location = picked(Location, m.Immunization, "location", "Location")
    performer = picked(Practitioner, m.ImmunizationPerformer, "practitioner", "Given by")
    funding = coded("Funding", labels.FUNDING)
    eligibility = coded("Eligibility", labels.ELIGIBILITY)
    statement_on = date_field("VIS given on", "The day the statement (VIS) was handed over; empty if it was not.")

    def __init__(self, *args: Any, choices: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, rows in choices.items():
            self.fields[name].queryset = rows  # type: ignore[attr-defined]

    def clean_given_on(self) -> str:
        """A whole day, today at the latest."""
        day: str = self.cleaned_data["given_on"]
        if not is_day(day):
            raise forms.ValidationError("Write the day of the visit, such as 2024-05-17.")
        if day > _tomorrow():
            raise forms.ValidationError("This day has not come yet.")
        return day

    def clean_statement_on(self) -> str:
        day: str = self.cleaned_data["statement_on"]
        if day and not is_day(day):
            raise forms.ValidationError("Write the whole day, such as 2024-05-17, or leave this empty.")
        return day


class ReportForm(OnceForm):
    """Where the report comes from."""

    origin = coded("Reported by", labels.ORIGIN)

    def clean_origin(self) -> str:
        origin: str = self.cleaned_data["origin"]
        if not origin:
            raise forms.ValidationError("Say where this was read or heard.")
        return origin


class VaccineForm(forms.Form):
    """One vaccine: a name and codes. A line without a vaccine is no line."""

    vaccine = text_field("Vaccine", 200)
    cvx = text_field("CVX", 3)
    mvx = text_field("MVX", 10)
    ndc = text_field("NDC", 13)
    lot = text_field("Lot", 20)

    def is_blank(self) -> bool:
        """Whether nothing of a vaccine was typed."""
        return not any(self.data.get(self.add_prefix(name), "").strip() for name in ("vaccine", "cvx", "ndc", "lot"))

    def full_clean(self) -> None:
        self.empty_permitted, self.use_required_attribute = self.is_bound and self.is_blank(), False
        super().full_clean()

    def has_changed(self) -> bool:
        return not self.is_blank()

    def clean_cvx(self) -> str:
        """A code that CDC has; one digit is written with a zero before it."""
        code: str = self.cleaned_data["cvx"].strip()
        code = code.zfill(2) if code else ""
        if code and not lookup.is_known(code):
            raise forms.ValidationError(f"CDC has no CVX code {code}; choose the vaccine by its name.")
        return code

    def clean_mvx(self) -> str:
        code: str = self.cleaned_data["mvx"].strip().upper()
        if code and lookup.manufacturer(code) is None:
            raise forms.ValidationError(f"CDC has no manufacturer {code}; leave this empty if you do not know it.")
        return code

    def clean_ndc(self) -> str:
        """The 11-digit form, where what was typed can be only one."""
        typed: str = self.cleaned_data["ndc"].strip()
        found = candidates(typed) if typed else []
        if typed and len(found) != 1:
            raise forms.ValidationError("Write an NDC with its hyphens, such as 49281-0425-88.")
        return found[0] if found else ""

    def clean(self) -> dict[str, Any]:
        """FHIR needs the code; a name alone would be counted for nothing."""
        cleaned = super().clean() or self.cleaned_data
        if not self.is_blank() and not cleaned.get("cvx") and "cvx" not in self.errors:
            self.add_error("cvx", "Choose the vaccine from the list, so that its CVX code is known.")
        return cleaned


class LineForm(VaccineForm):
    """A vaccine that was given. The barcode that filled the line comes along, and is read again here."""

    expires = date_field("Expires")
    site = coded("Site", labels.SITE)
    route = coded("Route", labels.ROUTE)
    dose = forms.CharField(
        label="Dose (mL)", required=False, max_length=10, validators=[printable],
        widget=UnfoldAdminTextInputWidget(attrs={"inputmode": "decimal"}),
    )  # fmt: skip
    subpotent = forms.BooleanField(
        label="Given all the same, but does not count as a full dose", required=False, widget=UnfoldBooleanWidget
    )
    barcode = forms.CharField(required=False, max_length=500, widget=forms.HiddenInput, strip=False)
    given_on = ""  # the day of the visit, as far as it is known to be one

    def clean_dose(self) -> Decimal | None:
        typed: str = self.cleaned_data["dose"].strip().replace(",", ".")
        if not typed:
            return None
        try:
            amount = Decimal(typed)
        except InvalidOperation:
            raise forms.ValidationError("Write the amount in mL, such as 0.5.") from None
        if not (amount.is_finite() and 0 < amount <= _WIDEST):
            raise forms.ValidationError("Write an amount in mL between 0 and 100, such as 0.5.")
        return amount

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        expires = cleaned.get("expires", "")
        if self.given_on and expires and not cleaned.get("subpotent") and _last_day(expires) < self.given_on:
            self.add_error("expires", f"This lot expired on {expires}; do not give it.")
        elif self.given_on and not cleaned.get("subpotent"):
            self._ask_stock(cleaned)
        self._read_barcode(cleaned)
        return cleaned

    def _ask_stock(self, cleaned: dict[str, Any]) -> None:
        """What the stock knows of the lot: that it was recalled, or has expired."""
        names = ("cvx", "ndc", "mvx")
        known = {name: cleaned.get(name, "") for name in names}
        dose = m.Immunization(lot_number=cleaned.get("lot", ""), occurred=self.given_on, **known)
        for sentence in warnings_of(dose):
            self.add_error("lot", sentence)

    def _read_barcode(self, cleaned: dict[str, Any]) -> None:
        """A barcode whose digits do not check out fills nothing: what it says is not believed here either."""
        if cleaned.get("barcode") and not self.is_blank():
            found = scan(cleaned["barcode"], date.min)
            if found.product is None:
                self.add_error("vaccine", " ".join(found.problems))


class EarlierForm(VaccineForm):
    """A vaccine that was given elsewhere or long ago; its date may be partial."""

    given_on = date_field("Given on", "As 2019-05-17; 2019-05 or 2019 when no more is known.")

    def clean_given_on(self) -> str:
        day: str = self.cleaned_data["given_on"]
        if day and day_span(day)[0] > timezone.localdate() + timedelta(days=1):
            raise forms.ValidationError("This day has not come yet.")
        return day


class Lines(BaseFormSet):
    """All lines of an entry; at least one of them names a vaccine."""

    def filled(self) -> list[dict[str, Any]]:
        """What was typed, line by line, without the lines that were left empty."""
        return [form.cleaned_data for form in self.forms if not form.is_blank()]

    def clean(self) -> None:
        if all(form.is_blank() for form in self.forms):
            raise forms.ValidationError("Add a vaccine: scan it, or choose it by its name.")


def lines_of(form: type[VaccineForm]) -> type[Lines]:
    """The formset class for lines of one kind."""
    made: Any = forms.formset_factory(
        form, formset=Lines, extra=1, max_num=MOST_LINES, absolute_max=MOST_LINES, validate_max=True
    )
    of_lines: type[Lines] = made
    return of_lines


def _tomorrow() -> str:
    """A day that is still to come here has begun elsewhere."""
    return (timezone.localdate() + timedelta(days=1)).isoformat()


def _last_day(text: str) -> str:
    return day_span(text)[1].isoformat()
