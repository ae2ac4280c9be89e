"""The access log as a screen: for officers and auditors alone, narrowed as asked, and itself recorded."""

from typing import Any

import pytest
from django.test import Client

LOG = "/admin/compliance/accessevent/"


@pytest.fixture
def auditor(signed_in: Any) -> Client:
    return signed_in("auditor")


def shown(page: Any) -> list[list[str]]:
    return [[cell.text for cell in row.cells] for row in page.context["cl"].rows]


@pytest.mark.parametrize("role", ["auditor", "compliance-officer", "security-officer"])
def test_officers_and_auditors_read_the_log(signed_in, integrator, role):
    patient = integrator.create()["id"]
    page = signed_in(role).get(f"{LOG}?patient=Patient/{patient}")
    assert [(row[1], row[2], row[3]) for row in shown(page)] == [("integrator token", "Create", patient)]


@pytest.mark.parametrize("role", ["clinician", "front-desk", "operator", "administrator", "integrator"])
def test_nobody_else_reads_it(signed_in, role, trail):
    assert signed_in(role).get(LOG).status_code == 403
    assert [row.actor for row in trail(action="denied")] == [role]


def test_it_narrows_by_person_action_and_time(auditor, integrator, clinician):
    patient = integrator.create()["id"]
    clinician.get(f"Patient/{patient}")
    assert {row[1] for row in shown(auditor.get(f"{LOG}?actor=clinician token"))} == {"clinician token"}
    assert {row[2] for row in shown(auditor.get(f"{LOG}?action=read&since=1h"))} == {"Read"}
    assert shown(auditor.get(f"{LOG}?since=2999-01-01")) == []
    assert shown(auditor.get(f"{LOG}?since=yesterday or so")) == []


def test_reading_the_log_leaves_one_row(auditor, integrator, trail):
    integrator.create()
    auditor.get(f"{LOG}?actor=x")
    [row] = trail(actor="auditor", action="search")
    assert (row.resource_type, row.patient, row.query) == ("AccessEvent", None, "actor=x")


def test_an_event_opens_with_what_was_searched_for(auditor, clinician, trail):
    clinician.get("Patient?family=jansen")
    [event] = trail(action="search", actor="clinician token")
    page = auditor.get(f"{LOG}{event.pk}/")
    assert "family=jansen" in page.content.decode()
    assert [row.resources for row in trail(actor="auditor", action="read")] == [[f"AccessEvent/{event.pk}"]]


@pytest.mark.parametrize("key", ["nonsense", "018f0000-0000-7000-8000-000000000000"])
def test_an_event_that_there_is_not_answers_so(auditor, key):
    assert auditor.get(f"{LOG}{key}/").status_code == 404


def test_there_is_no_way_to_change_an_event(auditor, trail, integrator):
    integrator.create()
    [event] = trail(action="create")
    for screen in ("change/", "delete/", "history/"):
        assert auditor.get(f"{LOG}{event.pk}/{screen}").status_code == 404
