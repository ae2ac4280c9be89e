"""What Prometheus is told of consent: how often it permitted or withheld, and that it was always asked."""

from typing import Any

import pytest

from compliance.breakglass.tests.test_breakglass import EMERGENCY, break_glass
from compliance.consent.tests.cast import consent, deny, dose
from healthrecords import trail
from healthrecords.access import acting
from healthrecords.access.request import SYSTEM, AccessRequest
from immunizations.models import Immunization
from ops.monitoring.tests.reading import value
from patients.models import Patient


@pytest.fixture
def grown(db: None) -> Any:
    """By how much each outcome has grown since the test began, without those that have not."""
    outcomes = ("permitted", "emergency", "withheld", "none")
    before = {each: value("consent_decisions_total", outcome=each) for each in outcomes}

    def grown() -> dict[str, float]:
        now = {each: value("consent_decisions_total", outcome=each) - before[each] for each in outcomes}
        return {each: count for each, count in now.items() if count}

    return grown


@pytest.fixture
def hidden(integrator: Any, caller_with_role: Any) -> Immunization:
    """The dose of a patient who denies doses to everybody."""
    patient = integrator.create()["id"]
    key = integrator.create(dose(patient))["id"]
    caller_with_role("compliance-officer").create(consent(patient, deny(classes=["Immunization"])))
    return Immunization.objects.get(logical_id=key)


def test_a_read_a_search_and_a_history_are_permitted(integrator, grown):
    patient = integrator.create()["id"]
    for path in (f"Patient/{patient}", f"Patient?_id={patient}", f"Patient/{patient}/_history"):
        assert integrator.get(path).status_code == 200
    assert grown() == {"permitted": 3}


def test_what_is_withheld_is_counted_and_answered_like_what_never_was(clinician, hidden, grown):
    kept = clinician.get(f"Immunization/{hidden.logical_id}")
    never = clinician.get("Immunization/nothing-of-this-id")
    assert (kept.status_code, never.status_code) == (404, 404)
    assert kept.json()["issue"] == never.json()["issue"]
    assert grown() == {"withheld": 1}


def test_the_console_counts_what_it_withholds(signed_in, hidden, grown):
    page = f"/admin/immunizations/immunization/{hidden.pk}/change/"
    assert signed_in("clinician").get(page).status_code == 404
    assert grown() == {"withheld": 1}


def test_an_emergency_has_a_count_of_its_own(clinician, hidden, grown):
    break_glass(clinician, hidden.patient_id)
    assert clinician.get(f"Patient/{hidden.patient_id}", **EMERGENCY).status_code == 200
    assert grown() == {"emergency": 1}


def test_what_is_shown_without_asking_is_counted_as_such(integrator, grown):
    patient = Patient.objects.get(logical_id=integrator.create()["id"])
    acting.begin(None)
    fact = trail.Fact("read", patient=patient.logical_id, resources=(f"Patient/{patient.logical_id}",), versions=(1,))
    trail.record(AccessRequest(SYSTEM, "read", "Patient"), [fact])
    assert grown() == {"none": 1}
