"""Forms of FHIR's data types: a name, an identifier, a way to reach somebody, an address."""

from typing import Any

from django import forms
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from healthrecords.console import labels
from healthrecords.console.forms import LinesField, PartForm, WordsField, coded, date_field, text_field
from healthrecords.fhir import datatypes as d


class NameForm(PartForm):
    """A name; given names in one line."""

    written = ("family", "given", "prefix", "suffix")
    use = coded("Kind of name", labels.NAME_USE)
    family = text_field("Family name")
    given = WordsField(label="Given names", required=False)
    prefix = WordsField(label="Title", required=False)  # type: ignore[assignment]  # the field takes the name over
    suffix = WordsField(label="Suffix", required=False)
    text = text_field("Whole name, if it is written otherwise")
    period_start = date_field("Used from")
    period_end = date_field("Used until")


class IdentifierForm(PartForm):
    """An identifier; a national id shows its last characters alone, and an empty field leaves it as it is."""

    type_code = forms.CharField(label="Kind", required=False)
    system = text_field("Issued by", 500, "The address (URI) that stands for who gave the number.")
    number = text_field("Number", 500)
    use = coded("Use", labels.USE, d.IdentifierUse.values)
    period_start = date_field("Valid from")
    period_end = date_field("Valid until")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        code = self.instance.type_code
        others = {code: code} if code and code not in labels.IDENTIFIER else {}
        choices = [("", "Not said"), *(labels.IDENTIFIER | others).items()]
        self.fields["type_code"].widget = UnfoldAdminSelectWidget(choices=choices)
        if self.instance.sealed:
            self.fields["number"].help_text = f"Stored as {self.instance.masked}. Leave empty to keep it."
        else:
            self.initial["number"] = self.instance.value

    def clean_system(self) -> str:
        """FHIR's uri has no spaces."""
        system: str = self.cleaned_data["system"]
        if any(c.isspace() for c in system):
            raise forms.ValidationError("An address (URI) has no spaces, such as urn:oid:1.2.3 or https://…")
        return system

    def save(self, commit: bool = True) -> Any:
        number = self.cleaned_data.get("number", "")
        if number or not self.instance.sealed:
            self.instance.number = number
        return super().save(commit)

    def is_blank(self, cleaned: dict[str, Any]) -> bool:
        return super().is_blank(cleaned) and not self.instance.sealed


class TelecomForm(PartForm):
    """A phone number or e-mail address."""

    system = coded("Kind", labels.TELECOM)
    value = text_field("Number or address", 500)
    use = coded("Use", labels.USE, d.TelecomUse.values)
    rank = forms.IntegerField(
        label="Preference", required=False, min_value=1, max_value=2**31 - 1, help_text="1 is tried first.",
        widget=UnfoldAdminTextInputWidget(attrs={"inputmode": "numeric"}),
    )  # fmt: skip

    def clean(self) -> dict[str, Any]:
        """Work out what an entry without a kind must be: FHIR wants one beside each value (cpt-2)."""
        cleaned = super().clean()
        if cleaned.get("value") and not cleaned.get("system"):
            cleaned["system"] = "email" if "@" in cleaned["value"] else "phone"
        return cleaned


class AddressForm(PartForm):
    """An address; the street may take several lines."""

    written = ("line", "city", "district", "state", "postal_code", "country")
    use = coded("Use", labels.USE, d.AddressUse.values)
    line = LinesField(label="Street", required=False, widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}))
    city = text_field("City")
    district = text_field("County")
    state = text_field("State")
    postal_code = text_field("Postal code")
    country = text_field("Country")
    period_start = date_field("Lived there from")
    period_end = date_field("Until")
