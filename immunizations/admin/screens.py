"""The list of doses, the page and the form of one, and taking one back that was entered in error."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from unfold.decorators import display

from healthrecords.console.filters import ChoiceFilter, TextFilter
from healthrecords.console.forms import text_field
from healthrecords.fhir import store
from immunizations import models as m
from immunizations.admin import change_form, dose_page, grid, labels
from immunizations.admin.entry import EntryScreens
from immunizations.admin.section import remarks_on
from immunizations.admin.words import vaccine_name, when
from immunizations.codes import lookup
from patients.models import Patient


class StateFilter(ChoiceFilter):
    title, parameter_name, column = "state", "state", "status"
    choices_offered = labels.STATUS


class LotFilter(TextFilter):
    title, parameter_name, hint = "lot", "lot", "Whole number"

    def condition(self, request: HttpRequest, queryset: Any, text: str) -> Any:
        return queryset.filter(lot_number__iexact=text)


class ErrorForm(forms.Form):
    """Why a dose was entered in error."""

    why = text_field("What was wrong?", 500, "Kept as a note with the dose.")


@admin.register(m.Immunization)
class ImmunizationAdmin(EntryScreens):
    """Doses: found by vaccine, day, lot; entered from the patient's page."""

    form = change_form.DoseForm
    inlines = change_form.INLINES
    fieldsets = change_form.FIELDSETS
    autocomplete_fields = ["location"]
    page_template = "immunizations/dose.html"
    list_title = "Immunizations"
    list_display = ["vaccine", "given", "person", "lot", "state"]
    list_filter = [StateFilter, LotFilter]
    sortable_by = ["given"]

    def screens(self) -> dict[str, tuple[str, Any]]:
        """A dose is added from its patient's page, so that there is no form without a patient."""
        shared = {name: screen for name, screen in super().screens().items() if name != "add"}
        return {
            **self.entry_screens(),
            **shared,
            "error": ("<str:object_id>/error/", self.error_view),
        }

    @display(description="Vaccine")
    def vaccine(self, dose: m.Immunization) -> str:
        return vaccine_name(dose, lookup.current())

    @display(description="Given on", ordering="occurred_from")
    def given(self, dose: m.Immunization) -> str:
        return when(dose)

    @display(description="Patient")
    def person(self, dose: m.Immunization) -> str:
        return str(getattr(dose, "shown_patient", None) or "Not open to you")

    @display(description="Lot")
    def lot(self, dose: m.Immunization) -> str:
        return dose.lot_number

    @display(description="State")
    def state(self, dose: m.Immunization) -> str:
        return grid.state_of(dose, grid.Remarks()).word

    def listed(self, request: HttpRequest, rows: list[Any], query: str) -> None:
        """Name the patients that may be seen, and note them with their doses."""
        super().listed(request, rows, query)
        screen: Any = admin.site.get_model_admin(Patient)
        people = screen.shown(request, {dose.patient_id for dose in rows})
        for dose in rows:
            dose.shown_patient = people.get(dose.patient_id)

    def page_context(self, request: HttpRequest, record: m.Immunization) -> dict[str, Any]:
        people: Any = admin.site.get_model_admin(Patient)
        open_still = record.status != m.Status.ENTERED_IN_ERROR and self.permits(request, "update")
        return {
            **dose_page.facts(record, lookup.current(), remarks_on([record], self.asked(request, "read"))),
            "title": vaccine_name(record, lookup.current()),
            "subtitle": when(record),
            **people.heading(request, record.patient_id),
            "error_address": self.address("error", record.pk) if open_still else "",
        }

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], **kwargs: Any) -> HttpResponse:
        """The form names the dose as its page does."""
        dose: Any = kwargs["obj"]
        context["subtitle"] = f"{vaccine_name(dose, lookup.current())}, {when(dose)}"
        return super().render_change_form(request, context, **kwargs)

    def error_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask, then say that a dose was entered in error; it stays in the history, and counts no more."""
        self.require(request, "update", object_id)
        dose: Any = self.get_object(request, object_id)
        form = ErrorForm(request.POST or None)
        fresh = request.POST.get("expected") == str(dose.version)
        if request.method == "POST" and fresh and form.is_valid():
            return self._in_error(request, dose, form.cleaned_data["why"])
        self.note(request, "read", [dose])
        context = {
            "title": "Entered in error", "subtitle": f"{vaccine_name(dose, lookup.current())}, {when(dose)}",
            "form": form, "stale": request.method == "POST" and not fresh,
        }  # fmt: skip
        return self.page(request, "immunizations/error.html", dose, context)

    def _in_error(self, request: HttpRequest, dose: m.Immunization, why: str) -> HttpResponse:
        asked = self.asked(request, "update")
        if why:
            today, place = timezone.localdate().isoformat(), dose.notes.count()
            m.ImmunizationNote.objects.create(record=dose, position=place, text=f"Entered in error: {why}", time=today)
        dose.status = m.Status.ENTERED_IN_ERROR
        store.write_stored(self.resource, dose, asked.actor)
        self.note(request, "update", [dose])
        messages.success(request, "The dose is marked as entered in error and counts no more.")
        return HttpResponseRedirect(self.address("page", dose.pk))
