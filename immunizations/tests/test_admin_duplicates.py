"""The review of doses that may be recorded twice."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from immunizations.duplicates.models import DuplicatePair, Verdict
from immunizations.tests.samples import SID, coded, given
from patients.models import Patient

REVIEW = "/admin/immunizations/duplicatepair/"


@pytest.fixture
def nurse(signed_in: Callable[..., Client]) -> Client:
    return signed_in("immunization-nurse")


@pytest.fixture
def maria(integrator: Any) -> Patient:
    return Patient.objects.get(logical_id=integrator.create()["id"])


@pytest.fixture
def pair(integrator: Any, maria: Patient) -> DuplicatePair:
    """Two influenza doses, two days apart."""
    for day in ("2024-10-01", "2024-10-03"):
        body = given(maria.logical_id, vaccineCode=coded(f"{SID}/cvx", "140"), occurrenceDateTime=day)
        integrator.create(body)
    return DuplicatePair.objects.get(verdict=Verdict.REVIEW)


def test_a_waiting_pair_shows_with_both_doses_and_leaves_its_row(nurse, pair, maria, trail):
    shown = nurse.get(REVIEW).content.decode()
    for words in ("Maria Louise Jansen", "2024-10-01", "2024-10-03", "They are two doses"):
        assert words in shown
    [row] = trail(action="search", actor="immunization-nurse", patient=maria.logical_id)
    assert {f"Immunization/{pair.first_id}", f"Immunization/{pair.second_id}"} < set(row.resources)


def test_the_patient_s_page_leads_to_the_review(nurse, pair, maria):
    page = nurse.get(f"/admin/patients/patient/{maria.pk}/").content.decode()
    assert f"{REVIEW}?patient={maria.logical_id}" in page
    assert "Review duplicate" in page


def test_one_dose_is_chosen_and_the_other_no_longer_counts(nurse, pair, maria):
    nurse.post(REVIEW, {"pair": str(pair.pk), "counts": pair.second_id})
    pair.refresh_from_db()
    assert (pair.verdict, pair.counts_id, pair.decided_by) == (Verdict.CERTAIN, pair.second_id, "immunization-nurse")
    page = nurse.get(f"/admin/patients/patient/{maria.pk}/").content.decode()
    assert '<span class="dose-state">Duplicate</span>' in page


def test_two_doses_stay_two_and_a_decision_is_taken_back(nurse, pair):
    nurse.post(REVIEW, {"pair": str(pair.pk)})
    pair.refresh_from_db()
    assert pair.verdict == Verdict.NOT_DUPLICATE
    assert b"Take back" in nurse.get(REVIEW).content
    nurse.post(REVIEW, {"pair": str(pair.pk), "do": "undo"})
    pair.refresh_from_db()
    assert (pair.verdict, pair.decided_by) == (Verdict.REVIEW, "")


@pytest.mark.parametrize("key", ["", "none", "018f0000-0000-7000-8000-000000000000"])
def test_a_pair_that_is_not_there_is_said(nurse, pair, key):
    answer = nurse.post(REVIEW, {"pair": key}, follow=True)
    assert b"There is no such pair" in answer.content


def test_front_desk_looks_and_decides_nothing(signed_in, pair):
    client = signed_in("front-desk")
    assert b"They are two doses" not in client.get(REVIEW).content
    assert client.post(REVIEW, {"pair": str(pair.pk)}).status_code == 403
    pair.refresh_from_db()
    assert pair.verdict == Verdict.REVIEW
