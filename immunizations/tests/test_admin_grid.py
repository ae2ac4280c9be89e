"""The immunization history on a patient's page: what stands where, and the rows that it leaves."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from immunizations.admin.grid import Remarks, grid_of
from immunizations.codes import lookup
from immunizations.models import Immunization
from immunizations.tests.samples import given
from patients.models import Patient


@pytest.fixture
def nurse(signed_in: Callable[..., Client]) -> Client:
    return signed_in("immunization-nurse")


@pytest.fixture
def maria(integrator: Any) -> Patient:
    return Patient.objects.get(logical_id=integrator.create()["id"])


@pytest.fixture
def dose(integrator: Any, maria: Patient) -> Callable[..., str]:
    """Store a dose of Maria's; answer its logical id."""

    def make(cvx: str, day: str, **changes: Any) -> str:
        vaccine = {"coding": [{"system": "http://hl7.org/fhir/sid/cvx", "code": cvx}]}
        body = given(maria.logical_id, vaccineCode=vaccine, occurrenceDateTime=day, isSubpotent=None, **changes)
        return integrator.create({name: value for name, value in body.items() if value is not None})["id"]

    return make


def page_of(client: Client, patient: Patient) -> Any:
    return client.get(f"/admin/patients/patient/{patient.pk}/")


def grid(remarks: Remarks | None = None) -> dict[str, tuple[list[str], list[str]]]:
    """The rows of all doses: for each group, the days that count and the words of the others."""
    made = grid_of(Immunization.objects.all(), lookup.current(), remarks or Remarks())
    return {row.group: ([c.date for c in row.doses], [c.state.word for c in row.others]) for row in made.rows}


def test_doses_stand_by_group_in_the_order_of_their_days(dose):
    for cvx, day in (("140", "2024-10-01"), ("88", "2022-10"), ("140", "2023-10-02"), ("03", "2020-01-01")):
        dose(cvx, day)
    assert grid() == {"Influenza": (["2022-10", "2023-10-02", "2024-10-01"], []), "MMR": (["2020-01-01"], [])}


def test_a_combination_vaccine_stands_in_each_of_its_groups(dose):
    dose("110", "2024-05-17")
    assert set(grid()) == {"DTaP/Tdap/Td", "HepB", "Polio"}


def test_a_vaccine_without_a_group_or_code_stands_last(dose, integrator, maria):
    integrator.create(given(maria.logical_id, vaccineCode={"text": "Something"}))
    dose("140", "2024-10-01")
    assert list(grid()) == ["Influenza", "Other vaccines"]


def test_what_does_not_count_takes_no_number(dose, integrator, maria):
    dose("140", "2022-10-01", status="entered-in-error")
    dose("140", "2023-10-01", status="not-done")
    dose("140", "2024-10-01")
    stored = integrator.get(f"Immunization/{dose('140', '2024-11-01')}").json()
    integrator.put(f"Immunization/{stored['id']}", {**stored, "isSubpotent": True})
    assert grid() == {"Influenza": (["2024-10-01"], ["Entered in error", "Not done", "Does not count"])}


def test_a_duplicate_counts_until_it_is_decided(dose):
    dose("140", "2024-10-01")
    other = Immunization.objects.get(logical_id=dose("140", "2024-10-02"))
    waiting = grid_of(Immunization.objects.all(), lookup.current(), Remarks(waiting=frozenset({other.logical_id})))
    assert [cell.state.word for cell in waiting.rows[0].doses] == ["Given", "Review duplicate"]
    assert grid(Remarks(repeated=frozenset({other.logical_id})))["Influenza"] == (["2024-10-01"], ["Duplicate"])


def test_the_page_says_state_lot_and_day_of_each_dose(nurse, dose, maria):
    dose("140", "2024-10-01", lotNumber="U8123AA")
    dose("08", "2019-03", primarySource=False)
    page = page_of(nurse, maria).content.decode()
    for words in ("Influenza", "Lot U8123AA", "2024-10-01", "Given", "HepB", "2019-03", "Historical", "Dose 1"):
        assert words in page


def test_the_doses_shown_are_in_the_row_of_their_patient(nurse, dose, maria, trail):
    shown = {f"Immunization/{dose('140', day)}" for day in ("2023-10-01", "2024-10-01")}
    page_of(nurse, maria)
    rows = trail(action="read", actor="immunization-nurse")
    assert [row.patient for row in rows] == [maria.logical_id] * 2
    assert set(rows[1].resources) == shown
    assert rows[1].versions == [1, 1]


def test_only_the_patient_s_own_doses_show(nurse, dose, maria, integrator):
    integrator.create(given("somebody-else", lotNumber="FOREIGN"))
    dose("140", "2024-10-01")
    assert b"FOREIGN" not in page_of(nurse, maria).content


def test_a_deleted_dose_is_gone_from_the_page(nurse, dose, maria, integrator):
    integrator.delete(f"Immunization/{dose('140', '2024-10-01', lotNumber='GONE')}")
    page = page_of(nurse, maria).content
    assert b"GONE" not in page
    assert b"No immunization is recorded here yet." in page


def test_no_dose_leaves_when_its_row_cannot_be_written(nurse, dose, maria, request):
    dose("140", "2024-10-01")
    request.getfixturevalue("broken_trail")
    nurse.raise_request_exception = False
    assert page_of(nurse, maria).status_code == 500


def test_front_desk_sees_the_history_and_no_way_to_add_to_it(signed_in, dose, maria):
    dose("140", "2024-10-01", lotNumber="U8123AA")
    page = page_of(signed_in("front-desk"), maria).content
    assert b"U8123AA" in page
    assert b"Record vaccines" not in page


def test_a_role_without_immunizations_sees_no_section(signed_in, dose, maria):
    from healthrecords.accounts.models import Role

    dose("140", "2024-10-01", lotNumber="U8123AA")
    Role.objects.create(name="greeter", title="Greeter", permissions={"Patient": "rs"}, purposes=["HOPERAT"])
    try:
        page = page_of(signed_in("greeter"), maria)
    finally:
        Role.objects.filter(name="greeter").delete()
    assert page.status_code == 200
    assert b"U8123AA" not in page.content
    assert b"Immunizations" not in page.content
