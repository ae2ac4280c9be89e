"""The immunization history on a patient's page."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from healthrecords.access.request import AccessRequest
from immunizations.admin.grid import Remarks, grid_of
from immunizations.codes import lookup
from immunizations.duplicates import review
from immunizations.duplicates.models import DuplicatePair, Verdict
from immunizations.models import Immunization
from patients.admin.panels import Panel, on_patient_page
from patients.models import Patient

STYLES = ("immunizations/immunizations.css",)
MOST = 500  # doses on one page


@on_patient_page
def history(request: HttpRequest, patient: Patient) -> Panel | None:
    """The grid of a patient's doses, each of them noted as read."""
    screen: Any = admin.site.get_model_admin(Immunization)
    if not screen.permits(request, "read"):
        return None
    doses = list(screen.visible(request, "read").filter(patient_id=patient.logical_id)[:MOST])
    if doses:
        screen.note(request, "read", doses)
    record, remarks = screen.permits(request, "create"), remarks_on(doses, screen.asked(request, "read"))
    duplicates: Any = admin.site.get_model_admin(DuplicatePair)
    return Panel(
        "immunizations/history.html",
        {
            "grid": grid_of(doses, lookup.current(), remarks),
            "review_address": f"{duplicates.address('changelist')}?patient={patient.logical_id}"
            if remarks.waiting
            else "",
            "visit_address": screen.address("visit", patient.pk) if record else "",
            "report_address": screen.address("report", patient.pk) if record else "",
        },
        STYLES,
    )


def remarks_on(doses: list[Immunization], asked: AccessRequest) -> Remarks:
    """What the review of duplicates says of these doses, beside others that the asker may see."""
    patients = {dose.patient_id for dose in doses}
    pairs = review.pairs_of(patients, asked).filter(verdict=Verdict.REVIEW).values_list("first", "second")
    return Remarks(
        waiting=frozenset(key for pair in pairs for key in pair),
        repeated=frozenset(review.set_aside(patients, asked)),
    )
