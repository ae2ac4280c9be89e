"""The forms of a patient and of what belongs to the person."""

from typing import Any

from django import forms
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from healthrecords.console.forms import PartForm, RecordForm, WordsField, YesNoField, coded, date_field, text_field
from healthrecords.console.labels import GENDER, TELECOM
from patients.admin import labels, omb

_DATE_HELP = "As 1980-05-17; 1980-05 or 1980 when no more is known."


class PatientForm(RecordForm):
    """The person: birth, death, sex, and whom they belong to."""

    active = YesNoField(label="Record in use", required=False)
    gender = coded("Sex", GENDER)
    birth_sex = coded("Sex at birth", labels.BIRTH_SEX)
    birth_date = date_field("Birth date", _DATE_HELP)
    deceased = YesNoField(label="Has died", required=False)
    deceased_at = date_field("Date of death")
    marital_status = coded("Marital status", labels.MARITAL)
    race = forms.MultipleChoiceField(
        choices=list(omb.RACES.items()), required=False, widget=UnfoldAdminCheckboxSelectMultipleWidget
    )
    ethnicity = coded("Ethnicity", omb.ETHNICITIES)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["race"] = omb.codes_of(self.instance.race)
        self.initial["ethnicity"] = next(iter(omb.codes_of(self.instance.ethnicity)), "")
        self.initial["deceased"] = True if self.instance.deceased_at else self.instance.deceased
        self.keep_codes()

    def clean(self) -> dict[str, Any]:
        """FHIR knows a death by its date or by yes, never by both."""
        cleaned = super().clean()
        if cleaned.get("deceased_at"):
            if cleaned.get("deceased") is False:
                self.add_error("deceased", "This says no, but there is a date of death.")
            cleaned["deceased"] = None
        return cleaned

    def clean_race(self) -> Any:
        """The categories as US Core keeps them; untouched ones stay as they came."""
        stored = self.instance.race
        return omb.with_codes(stored, self.cleaned_data["race"], omb.RACES) if "race" in self.changed_data else stored

    def clean_ethnicity(self) -> Any:
        stored, code = self.instance.ethnicity, self.cleaned_data["ethnicity"]
        codes = [code] if code else []
        return omb.with_codes(stored, codes, omb.ETHNICITIES) if "ethnicity" in self.changed_data else stored


class ContactForm(PartForm):
    """Somebody to reach for the patient."""

    written = ("family", "given")
    text_column = "name_text"
    relationship_code = coded("Relationship", labels.RELATIONSHIP)
    relationship_text = text_field("In words")
    family = text_field("Family name")
    given = WordsField(label="Given names", required=False)
    telecom_value = text_field("Phone or e-mail", 500)
    telecom_system = coded("Reach by", TELECOM)

    def clean(self) -> dict[str, Any]:
        """Work out what an entry without a kind must be: FHIR wants one beside each value."""
        cleaned = super().clean()
        if cleaned.get("telecom_value") and not cleaned.get("telecom_system"):
            cleaned["telecom_system"] = "email" if "@" in cleaned["telecom_value"] else "phone"
        return cleaned


class LanguageForm(PartForm):
    """A language that the patient speaks."""

    language_code = coded("Language", labels.LANGUAGE)
    language_text = text_field("In words")
    preferred = YesNoField(label="Preferred", required=False)


class PractitionerForm(PartForm):
    """The patient's own practitioner, or a practice."""

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if cleaned.get("practitioner") and cleaned.get("organization"):
            raise forms.ValidationError("Choose a practitioner or a practice, not both; add another for the second.")
        return cleaned
