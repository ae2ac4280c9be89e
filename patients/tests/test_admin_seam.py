"""What the admin shows of patients is written down before it leaves, or it does not leave."""

import json
import re
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from healthrecords.access.policy import policy
from patients.models import Patient

LIST = "/admin/patients/patient/"
AUTOCOMPLETE = "/admin/autocomplete/?app_label=patients&model_name=patientname&field_name=record&term="


@pytest.fixture
def nurse(signed_in: Callable[..., Client]) -> Client:
    return signed_in("clinician")


@pytest.fixture
def maria(integrator: Any) -> Patient:
    return Patient.objects.get(logical_id=integrator.create()["id"])


def at(patient: Patient, screen: str = "") -> str:
    return f"{LIST}{patient.pk}/{screen}"


def test_a_list_leaves_a_row_for_each_patient_shown(nurse, integrator, trail):
    ids = {integrator.create()["id"] for _ in range(3)}
    page = nurse.get(LIST)
    rows = trail(action="search", actor="clinician")
    assert page.status_code == 200
    assert {row.patient for row in rows} == ids
    assert all(row.resources == [f"Patient/{row.patient}"] and row.versions == [1] for row in rows)
    assert page.content.count(b"Jansen") == 3


def test_only_the_patients_of_the_page_shown_have_rows(nurse, integrator, trail):
    for number in range(27):
        integrator.create(name=[{"family": f"Family{number:02}"}])
    first = nurse.get(LIST)
    assert len(trail(action="search", actor="clinician")) == first.content.count(b"Family") == 25
    second = nurse.get(f"{LIST}?p=2")
    assert second.content.count(b"Family") == 2
    assert len(trail(action="search", actor="clinician")) == 27


def test_a_search_keeps_its_text_sealed(nurse, maria, trail):
    nurse.get(f"{LIST}?q=jansen")
    [row] = trail(action="search", actor="clinician")
    assert row.patient == maria.logical_id
    assert row.query == "q=jansen"
    assert b"jansen" not in bytes(type(row).objects.filter(pk=row.pk).values_list("query", flat=True)[0])


def test_a_search_without_a_hit_leaves_one_row(nurse, maria, trail):
    page = nurse.get(f"{LIST}?q=nobody")
    [row] = trail(action="search", actor="clinician")
    assert (row.patient, row.query) == (None, "q=nobody")
    assert b"Jansen" not in page.content


@pytest.mark.parametrize(("screen", "action"), [("", "read"), ("change/", "read"), ("history/", "history")])
def test_each_screen_of_a_patient_leaves_its_row(nurse, maria, trail, screen, action):
    page = nurse.get(at(maria, screen))
    [row] = trail(actor="clinician", actor_kind="user")[-1:]
    assert page.status_code == 200
    assert (row.action, row.patient, row.resources, row.versions, row.outcome) == (
        action, maria.logical_id, [f"Patient/{maria.logical_id}"], [1], "success",
    )  # fmt: skip
    assert row.purpose == "TREAT"
    assert row.request == page["X-Request-Id"]


def test_a_pick_list_leaves_its_rows(nurse, maria, trail):
    answer = nurse.get(f"{AUTOCOMPLETE}jan")
    [row] = trail(action="search", actor="clinician")
    assert json.loads(answer.content)["results"] == [{"id": str(maria.pk), "text": "Maria Louise Jansen"}]
    assert (row.patient, row.query) == (maria.logical_id, "term=jan")


@pytest.mark.parametrize("screen", ["", "change/", "history/"])
def test_no_page_leaves_when_its_row_cannot_be_written(nurse, maria, broken_trail, screen):
    nurse.raise_request_exception = False
    page = nurse.get(at(maria, screen))
    assert page.status_code == 500
    assert b"Jansen" not in page.content


def test_no_list_and_no_pick_list_leave_when_their_rows_cannot_be_written(nurse, maria, broken_trail):
    nurse.raise_request_exception = False
    for address in (LIST, f"{AUTOCOMPLETE}jan"):
        page = nurse.get(address)
        assert (page.status_code, b"Jansen" in page.content) == (500, False)


@pytest.mark.parametrize("address", [LIST, f"{LIST}add/", f"{AUTOCOMPLETE}jan"])
def test_an_operator_is_denied_with_a_row(signed_in, maria, trail, address):
    page = signed_in("operator").get(address)
    assert page.status_code == 403
    assert b"Jansen" not in page.content
    [row] = trail(action="denied", actor="operator")
    assert (row.outcome, row.resource_type) == ("denied", "Patient")


@pytest.mark.parametrize("screen", ["", "change/", "history/", "delete/"])
def test_a_denied_look_at_a_patient_names_that_patient(signed_in, maria, trail, screen):
    page = signed_in("operator").get(at(maria, screen))
    assert page.status_code == 403
    assert b"Jansen" not in page.content
    [row] = trail(action="denied", actor="operator")
    assert (row.patient, row.resources) == (maria.logical_id, [f"Patient/{maria.logical_id}"])


def test_an_outsider_is_sent_to_sign_in_with_a_row(maria, trail):
    page = Client().get(at(maria))
    assert page.status_code == 302
    assert page["Location"].startswith("/accounts/login/?next=/admin/patients/patient/")
    [row] = trail(action="denied")
    assert (row.actor_kind, row.outcome) == ("anonymous", "denied")


def steady(page: Any) -> str:
    """A page without what differs each time it is made."""
    return re.sub(r'(name="csrfmiddlewaretoken" value|data-left)="[^"]*"', "", page.content.decode())


def test_a_patient_that_may_not_be_seen_answers_like_a_missing_one(nurse, maria, trail, monkeypatch):
    missing = nurse.get(f"{LIST}{uuid4()}/")
    monkeypatch.setattr(type(policy()), "visible", lambda _, rows, __: rows.none())
    hidden = nurse.get(at(maria))
    assert missing.status_code == hidden.status_code == 404
    assert steady(missing) == steady(hidden)
    rows = trail(action="read", actor="clinician")
    assert [row.outcome for row in rows] == ["failed 404", "failed 404"]
    assert rows[1].patient == maria.logical_id


def test_a_hidden_patient_shows_in_no_list_pick_list_form_or_history(nurse, maria, monkeypatch):
    monkeypatch.setattr(type(policy()), "visible", lambda _, rows, __: rows.none())
    for address in (LIST, f"{LIST}?q=jansen", f"{AUTOCOMPLETE}jan"):
        assert b"Jansen" not in nurse.get(address).content
    for screen in ("change/", "history/"):
        assert nurse.get(at(maria, screen)).status_code == 404


def test_a_deleted_patient_is_gone_from_the_admin(nurse, integrator, maria):
    integrator.delete(f"Patient/{maria.logical_id}")
    assert b"Jansen" not in nurse.get(LIST).content
    assert nurse.get(at(maria)).status_code == 404


def test_a_linked_patient_whose_name_shows_is_disclosed_as_well(nurse, integrator, maria, trail):
    other = integrator.create(
        name=[{"family": "Twin"}], link=[{"other": {"reference": f"Patient/{maria.logical_id}"}, "type": "seealso"}]
    )
    page = nurse.get(at(Patient.objects.get(logical_id=other["id"])))
    assert b"Jansen" in page.content
    assert {row.patient for row in trail(action="read", actor="clinician")} == {other["id"], maria.logical_id}


def test_a_linked_patient_that_is_hidden_is_not_named(nurse, integrator, maria, monkeypatch):
    other = integrator.create(
        name=[{"family": "Twin"}], link=[{"other": {"reference": f"Patient/{maria.logical_id}"}, "type": "seealso"}]
    )
    monkeypatch.setattr(type(policy()), "visible", lambda _, rows, __: rows.exclude(pk=maria.pk))
    page = nurse.get(at(Patient.objects.get(logical_id=other["id"])))
    assert page.status_code == 200
    assert b"Jansen" not in page.content


def test_a_purpose_that_the_person_does_not_have_is_denied(nurse, maria, trail):
    page = nurse.get(at(maria), headers={"X-Purpose-Of-Use": "PUBHLTH"})
    assert page.status_code == 403
    assert len(trail(action="denied")) == 1


def test_a_page_about_patients_without_a_note_does_not_leave(nurse, maria, monkeypatch):
    from healthrecords.console.record_admin import RecordAdmin

    monkeypatch.setattr(RecordAdmin, "note", lambda *_, **__: None)
    nurse.raise_request_exception = False
    for address in (LIST, at(maria), at(maria, "change/")):
        page = nurse.get(address)
        assert (page.status_code, b"Jansen" in page.content) == (500, False)


def test_a_lookup_by_address_is_refused(nurse, maria):
    assert nurse.get(f"{LIST}?birth_date__startswith=1980").status_code == 400


def test_djangos_own_log_keeps_no_names(nurse, maria):
    from django.contrib.admin.models import LogEntry

    nurse.post(f"{LIST}add/", {})
    assert not LogEntry.objects.exists()


def test_reading_the_directory_leaves_no_rows(nurse, integrator, trail):
    integrator.create({"resourceType": "Organization", "name": "Harbor Clinic"})
    page = nurse.get("/admin/healthrecords/organization/")
    assert b"Harbor Clinic" in page.content
    assert trail(actor="clinician", actor_kind="user", action="search") == []


def test_a_page_is_rendered_before_its_transaction_ends(nurse, maria):
    from django.db import connection
    from django.test.signals import template_rendered

    within = []

    def see(template, **_):
        if template.name in ("console/list.html", "patients/page.html", "console/form.html", "console/history.html"):
            within.append(connection.in_atomic_block)

    template_rendered.connect(see)
    for address in (LIST, at(maria), at(maria, "change/"), at(maria, "history/")):
        nurse.get(address)
    template_rendered.disconnect(see)
    assert within == [True] * 4
