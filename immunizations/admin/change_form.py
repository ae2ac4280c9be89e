"""The form of a dose that is recorded already, and of what belongs to it."""

from typing import Any

from django import forms

from healthrecords.console.forms import PartForm, RecordForm, YesNoField, coded, date_field, text_field
from healthrecords.console.inlines import PartInline
from immunizations import models as m
from immunizations.admin import labels
from immunizations.codes import lookup

_STATES = {name: word for name, word in labels.STATUS.items() if name != m.Status.ENTERED_IN_ERROR}


class DoseForm(RecordForm):
    """What was given, when, where; that it was entered in error is said on a page of its own."""

    status = coded("State", _STATES)
    status_reason = coded("Why not done", labels.NOT_DONE)
    vaccine_text = text_field("Vaccine")
    cvx = text_field("CVX", 20)
    ndc = text_field("NDC", 20)
    mvx = text_field("MVX", 20)
    lot_number = text_field("Lot", 500)
    occurred = date_field("Given on", "As 2024-05-17; 2024-05 or 2024 when no more is known.")
    occurred_text = text_field("Date in words")
    expires = date_field("Lot expires")
    site = coded("Site", labels.SITE)
    route = coded("Route", labels.ROUTE)
    dose = text_field("Dose amount", 80)
    dose_unit = text_field("Unit", 20)
    subpotent = YesNoField(label="Does not count as a full dose", required=False)
    primary_source = YesNoField(label="Recorded by those who gave it", required=False)
    report_origin = coded("Reported by", labels.ORIGIN)
    funding_source = coded("Funding", labels.FUNDING)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.keep_codes()

    def clean_status(self) -> str:
        return self.cleaned_data["status"] or self.instance.status

    def clean_cvx(self) -> str:
        """A code that was there before may stay; a new one is one of CDC's."""
        code: str = self.cleaned_data["cvx"].strip()
        if code and "cvx" in self.changed_data and not lookup.is_known(code.zfill(2)):
            raise forms.ValidationError(f"CDC has no CVX code {code}.")
        return code.zfill(2) if code and "cvx" in self.changed_data else code

    def clean_dose(self) -> str:
        amount: str = self.cleaned_data["dose"].strip()
        if amount:
            m.check_decimal(amount)
        return amount

    def clean(self) -> dict[str, Any]:
        """A dose needs a date, and a new amount its unit."""
        cleaned = super().clean()
        if not cleaned.get("occurred") and not cleaned.get("occurred_text") and "occurred" not in self.errors:
            self.add_error("occurred", "Say when it was given, if only the year; or describe it in words.")
        if cleaned.get("occurred") and cleaned.get("occurred_text"):
            cleaned["occurred_text"] = ""
        if cleaned.get("dose") and not cleaned.get("dose_unit"):
            cleaned["dose_unit"] = "mL"
        if "dose_unit" in cleaned and cleaned["dose_unit"] != self.instance.dose_unit:
            self.instance.dose_unit_code = cleaned["dose_unit"]
        return cleaned


class PerformerForm(PartForm):
    """Who gave or ordered it."""

    function = coded("Role", labels.FUNCTION)


class NoteForm(PartForm):
    text = text_field("Note")
    time = date_field("Date")


class ReactionForm(PartForm):
    """A reaction that followed."""

    date = date_field("Began on")
    reported = YesNoField(label="Reported by the patient", required=False)


class EligibilityForm(PartForm):
    code = coded("Eligibility", labels.ELIGIBILITY)


class EducationForm(PartForm):
    document_type = text_field("Statement")
    publication_date = date_field("Edition")
    presentation_date = date_field("Given on")


class Performers(PartInline):
    model = m.ImmunizationPerformer
    form = PerformerForm
    verbose_name, verbose_name_plural = "performer", "Who gave it"
    fields = [("function", "practitioner", "organization")]
    autocomplete_fields = ["practitioner", "organization"]


class Notes(PartInline):
    model = m.ImmunizationNote
    form = NoteForm
    verbose_name, verbose_name_plural = "note", "Notes"
    fields = [("text", "time")]


class Reactions(PartInline):
    model = m.ImmunizationReaction
    form = ReactionForm
    verbose_name, verbose_name_plural = "reaction", "Reactions"
    fields = [("date", "reported")]


class Eligibilities(PartInline):
    model = m.ImmunizationEligibility
    form = EligibilityForm
    verbose_name, verbose_name_plural = "eligibility", "Program eligibility"
    fields = ["code"]


class Educations(PartInline):
    model = m.ImmunizationEducation
    form = EducationForm
    verbose_name, verbose_name_plural = "statement", "Statements given"
    fields = [("document_type", "publication_date", "presentation_date")]


INLINES = [Performers, Notes, Reactions, Eligibilities, Educations]
FIELDSETS: Any = [
    ("Dose", {"fields": [("occurred", "occurred_text"), ("status", "status_reason", "subpotent")]}),
    ("Vaccine", {"fields": [("vaccine_text", "cvx", "ndc", "mvx"), ("lot_number", "expires")]}),
    ("How", {"fields": [("dose", "dose_unit", "site", "route")]}),
    ("Where from", {"fields": [("location", "funding_source"), ("primary_source", "report_origin")]}),
]
