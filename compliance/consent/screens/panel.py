"""Consents on the patient's page: what one keeps from the person, and, to who may open them, what each says."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from compliance.consent import preview, words
from compliance.consent.limiting import limited
from compliance.consent.models import Consent
from healthrecords.console.minutes import asked_of
from patients.admin.panels import Panel, on_patient_page
from patients.models import Patient

STYLES = ("consent/consent.css",)


@on_patient_page
def limits(request: HttpRequest, patient: Patient) -> Panel | None:
    """Says where a consent limits what the person sees, whether or not there is anything to see."""
    types = limited(patient.logical_id, asked_of(request, "read", "Patient"))
    named = [words.CLASSES.get(each, each) for each in types]
    return Panel("consent/limits.html", {"types": named}) if named else None


@on_patient_page
def consents(request: HttpRequest, patient: Patient) -> Panel | None:
    """The consents in force, for those to whom consents are open."""
    screen: Any = admin.site.get_model_admin(Consent)
    if not screen.permits(request, "read"):
        return None
    found = preview.active(patient.logical_id)
    if found:
        screen.note(request, "read", [consent for consent, _ in found])
    rows = [(screen.address("page", each.pk), each.date, words.say(node)) for each, node in found]
    add = screen.address("record", patient.pk) if screen.permits(request, "create") else ""
    return Panel("consent/panel.html", {"rows": rows, "add_address": add}, STYLES)
