"""The apps that can be opened from a patient's page (SMART's EHR launch)."""

from django.http import HttpRequest
from django.urls import reverse

from healthrecords.oauth import launches
from patients.admin.panels import Panel, on_patient_page
from patients.models import Patient


@on_patient_page
def apps(request: HttpRequest, patient: Patient) -> Panel | None:
    """A link for each app that has an address for it; each asks the person before it sees anything."""
    found = [
        {"name": client.name, "address": reverse("oauth:launch", args=[client.client_id, patient.logical_id])}
        for client in launches.openable()
    ]
    return Panel("patients/apps.html", {"apps": found}) if found else None
