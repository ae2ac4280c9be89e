"""The list, page and form of a dose, and taking one back that was entered in error."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from immunizations.models import Immunization
from immunizations.tests.samples import given
from patients.models import Patient
from patients.tests.test_admin_forms import filled

DOSES = "/admin/immunizations/immunization/"


@pytest.fixture
def nurse(signed_in: Callable[..., Client]) -> Client:
    return signed_in("immunization-nurse")


@pytest.fixture
def maria(integrator: Any) -> Patient:
    return Patient.objects.get(logical_id=integrator.create()["id"])


@pytest.fixture
def dose(integrator: Any, maria: Patient) -> Immunization:
    return Immunization.objects.get(logical_id=integrator.create(given(maria.logical_id))["id"])


def at(dose: Immunization, screen: str = "") -> str:
    return f"{DOSES}{dose.pk}/{screen}"


def served(integrator: Any, dose: Immunization) -> dict[str, Any]:
    return integrator.get(f"Immunization/{dose.logical_id}").json()


def test_the_page_of_a_dose_says_what_is_recorded(nurse, dose):
    page = nurse.get(at(dose)).content.decode()
    for words in ("Engerix-B", "2024-05", "0.5 mL", "Left arm", "Intramuscular", "AB-12 x", "Was calm.", "Jansen",
                  "HepB", "58160-0820-52", "Private", "Childhood Hép B"):  # fmt: skip
        assert words in page


@pytest.mark.parametrize("screen", ["", "change/", "error/"])
def test_each_screen_of_a_dose_leaves_its_row(nurse, dose, trail, screen):
    assert nurse.get(at(dose, screen)).status_code == 200
    rows = trail(action="read", actor="immunization-nurse")
    assert {row.patient for row in rows} == {dose.patient_id}
    assert (f"Immunization/{dose.logical_id}", 1) in {(row.resources[0], row.versions[0]) for row in rows}


def test_the_list_names_patients_and_leaves_rows_for_both(nurse, dose, trail):
    page = nurse.get(DOSES)
    assert b"Maria Louise Jansen" in page.content
    rows = trail(action="search", actor="immunization-nurse") + trail(action="read", actor="immunization-nurse")
    shown = {resource for row in rows for resource in row.resources}
    assert shown == {f"Immunization/{dose.logical_id}", f"Patient/{dose.patient_id}"}


def test_the_list_is_narrowed_by_lot(nurse, dose, integrator, maria):
    integrator.create(given(maria.logical_id, lotNumber="OTHER"))
    assert b"OTHER" not in nurse.get(DOSES, {"lot": "ab-12 X"}).content


def test_a_detail_is_changed_in_the_form_and_the_rest_stays(nurse, dose, integrator):
    before = served(integrator, dose)
    answer = nurse.post(at(dose, "change/"), filled(nurse.get(at(dose, "change/")), lot_number="ZZ-1"))
    assert answer.status_code == 302, [answer.context["errors"], answer.context["adminform"].form.errors]
    after = served(integrator, dose)
    assert (after.pop("lotNumber"), after.pop("meta")["versionId"]) == ("ZZ-1", "2")
    before.pop("lotNumber"), before.pop("meta")  # location and performers, which are not in the directory here, stay
    assert after == before


def test_a_performer_who_is_not_in_the_directory_gives_way_to_one_who_is(nurse, dose, integrator):
    ada = integrator.create({"resourceType": "Practitioner", "name": [{"family": "Okafor"}]})
    sent = filled(nurse.get(at(dose, "change/")), **{"performers-0-practitioner": ada["id"]})
    nurse.post(at(dose, "change/"), sent)
    assert [each["actor"]["reference"] for each in served(integrator, dose)["performer"]] == [
        f"Practitioner/{ada['id']}", "Organization/o2",
    ]  # fmt: skip


def test_a_form_without_a_change_makes_no_version(nurse, dose):
    nurse.post(at(dose, "change/"), filled(nurse.get(at(dose, "change/"))))
    dose.refresh_from_db()
    assert dose.version == 1


@pytest.mark.parametrize(("field", "text", "told"), [
    ("cvx", "997", "CDC has no CVX code 997"), ("dose", "much", "Write an amount in digits"),
    ("occurred", "", "Say when it was given"), ("occurred", "soon", "Write a date as"),
])  # fmt: skip
def test_what_is_wrong_is_said_in_the_form(nurse, dose, field, text, told):
    page = nurse.post(at(dose, "change/"), filled(nurse.get(at(dose, "change/")), **{field: text}))
    dose.refresh_from_db()
    assert (page.status_code, dose.version) == (200, 1)
    assert told in page.content.decode()


def test_a_dose_entered_in_error_stays_with_the_reason_as_a_note(nurse, dose, integrator, trail):
    answer = nurse.post(at(dose, "error/"), {"expected": "1", "why": "Wrong arm, wrong child."})
    after = served(integrator, dose)
    assert answer.status_code == 302
    assert (after["status"], after["note"][1]["text"]) == (
        "entered-in-error", "Entered in error: Wrong arm, wrong child.",
    )  # fmt: skip
    [row] = trail(action="update", actor="immunization-nurse")
    assert (row.patient, row.versions) == (dose.patient_id, [2])
    assert b"Entered in error" in nurse.get(at(dose)).content


def test_a_dose_that_changed_meanwhile_is_not_marked(nurse, dose, integrator):
    integrator.put(f"Immunization/{dose.logical_id}", {**served(integrator, dose), "lotNumber": "NEW"})
    page = nurse.post(at(dose, "error/"), {"expected": "1"})
    assert b"Somebody changed this dose a moment ago" in page.content
    assert served(integrator, dose)["status"] == "completed"


def test_the_history_tells_who_changed_what(nurse, dose):
    nurse.post(at(dose, "error/"), {"expected": "1"})
    page = nurse.get(at(dose, "history/")).content.decode()
    assert "Changed by immunization-nurse" in page
    assert "entered-in-error" in page


def test_front_desk_looks_and_changes_nothing(signed_in, dose):
    client = signed_in("front-desk")
    page = client.get(at(dose))
    assert page.status_code == 200
    assert b"change/" not in page.content
    assert b"error/" not in page.content
    assert client.get(at(dose, "change/")).status_code == client.get(at(dose, "error/")).status_code == 403
    assert client.post(at(dose, "error/"), {"expected": "1"}).status_code == 403
    dose.refresh_from_db()
    assert dose.version == 1


def test_the_sidebar_names_the_screens_that_are_open(signed_in):
    assert b"/admin/immunizations/immunization/" in signed_in("front-desk").get("/admin/").content
    assert b"/admin/immunizations/" not in signed_in("operator").get("/admin/").content
