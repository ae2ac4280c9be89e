"""The list, the page and the form of a patient."""

from collections.abc import Collection
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from unfold.decorators import display

from healthrecords.console.filters import ChoiceFilter
from healthrecords.console.labels import GENDER
from healthrecords.console.lines import Flag
from healthrecords.console.record_admin import RecordAdmin
from patients import models as m
from patients.admin import forms, page
from patients.admin import search as quick
from patients.admin.inlines import INLINES
from patients.admin.panels import panels_for


class SexFilter(ChoiceFilter):
    title, parameter_name, column = "sex", "sex", "gender"
    choices_offered = GENDER


class StateFilter(ChoiceFilter):
    title, parameter_name = "record", "record"
    choices_offered = {"living": "Living", "deceased": "Deceased", "inactive": "Not in use"}
    conditions = {"living": {"is_deceased": False}, "deceased": {"is_deceased": True}, "inactive": {"active": False}}


@admin.register(m.Patient)
class PatientAdmin(RecordAdmin):
    """Patients: found by name, number, birth date or phone."""

    form = forms.PatientForm
    inlines = INLINES
    page_template = "patients/page.html"
    list_display = ["name", "born", "sex", "mrn", "phone", "city"]
    list_filter = [SexFilter, StateFilter]
    search_fields = ["names__any_key"]
    search_help_text = "Name, number, birth date or phone"
    sortable_by = ["name", "born"]
    autocomplete_fields = ["managing_organization"]
    fieldsets = [
        ("Birth and sex", {"fields": [("birth_date", "gender", "birth_sex")]}),
        ("Circumstances", {"fields": [("marital_status", "deceased", "deceased_at"), ("race", "ethnicity")]}),
        ("Record", {"fields": [("active", "managing_organization")]}),
    ]

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related("identifiers", "telecoms", "addresses")

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        return quick.narrow(queryset, search_term), False

    @display(description="Name", ordering="sort_family")
    def name(self, patient: m.Patient) -> str:
        return str(patient)

    @display(description="Birth date", ordering="birth_from")
    def born(self, patient: m.Patient) -> str:
        return page.birth(patient)

    @display(description="Sex")
    def sex(self, patient: m.Patient) -> str:
        return GENDER.get(patient.gender, "")

    @display(description="MRN")
    def mrn(self, patient: m.Patient) -> str:
        return page.record_number(patient)

    @display(description="Phone")
    def phone(self, patient: m.Patient) -> str:
        return page.phone(patient)

    @display(description="City")
    def city(self, patient: m.Patient) -> str:
        return page.city(patient)

    def row_flags(self, record: m.Patient) -> list[Flag]:
        return [Flag("Deceased", "grave")] if record.is_deceased else []

    def shown(self, request: HttpRequest, ids: Collection[str]) -> dict[str, m.Patient]:
        """The patients of these logical ids that the person may see, noted as read: their names show."""
        found = list(self.visible(request, "read").filter(logical_id__in=ids)) if ids else []
        if found:
            self.note(request, "read", found)
        return {each.logical_id: each for each in found}

    def heading(self, request: HttpRequest, logical_id: str) -> dict[str, Any]:
        """What the page of a patient's record says of the patient; empty where the person may not see who it is."""
        patient = self.shown(request, {logical_id}).get(logical_id)
        return {
            "patient": patient,
            "born": page.birth(patient) if patient else "",
            "patient_address": self.address("page", patient.pk) if patient else "",
        }

    def page_context(self, request: HttpRequest, record: m.Patient) -> dict[str, Any]:
        others = self.shown(request, {link.other_id for link in record.links.all() if link.other_id})
        return {**page.facts(record, others, self.asked(request, "history")), "panels": panels_for(request, record)}
