"""Every look at a record leaves its row before the answer does; without the row there is no answer."""

import pytest
from django.db import DatabaseError, connections

from compliance.phi_access import ledger
from compliance.phi_access.models import AccessEvent
from tests.cast import PATIENT


def test_a_read_leaves_who_what_and_why(integrator, trail):
    patient = integrator.create()
    answer = integrator.get(f"Patient/{patient['id']}", X_Purpose_Of_Use="HPAYMT")
    [row] = trail(action="read")
    assert (row.actor, row.actor_kind, row.roles) == ("integrator token", "token", ["integrator"])
    assert (row.patient, row.resources, row.versions) == (patient["id"], [f"Patient/{patient['id']}"], [1])
    assert (row.purpose, row.outcome, row.address) == ("HPAYMT", "success", "127.0.0.1")
    assert row.request == answer["X-Request-Id"]
    assert patient["id"] not in row.route


def test_a_list_leaves_one_row_for_each_patient_shown(integrator, trail):
    ids = {integrator.create()["id"] for _ in range(20)}
    integrator.get("Patient?name=jansen&_count=50")
    rows = trail(action="search")
    assert {row.patient for row in rows} == ids
    assert len(rows) == 20
    assert {row.query for row in rows} == {"name=jansen&_count=50"}


def test_the_text_of_a_search_is_not_readable_in_the_table(integrator):
    integrator.get("Patient?name=jansen")
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT query FROM compliance_accessevent")
        assert b"jansen" not in bytes(cursor.fetchone()[0])


def test_a_search_without_a_hit_leaves_one_row(integrator, trail):
    integrator.get("Patient?name=nobody")
    [row] = trail(action="search")
    assert (row.patient, row.query) == (None, "name=nobody")


def test_a_change_a_deletion_and_a_history_leave_theirs(integrator, trail):
    patient = integrator.create()
    path = f"Patient/{patient['id']}"
    integrator.put(path, patient)
    integrator.get(f"{path}/_history/1")
    integrator.get(f"{path}/_history")
    integrator.delete(path)
    rows = [(row.action, row.versions) for row in trail()]
    assert rows == [("create", [1]), ("update", [2]), ("read", [1]), ("history", [2, 1]), ("delete", [3])]


def test_a_directory_entry_is_no_disclosure_but_its_change_is_recorded(integrator, trail):
    entry = integrator.create({"resourceType": "Organization", "name": "Harbour Clinic"})
    integrator.get(f"Organization/{entry['id']}")
    integrator.get("Organization?name=harbour")
    rows = [(row.action, row.patient, row.resources) for row in trail()]
    assert rows == [("create", None, [f"Organization/{entry['id']}"])]


def test_a_denial_is_recorded_and_outlives_its_request(operator, integrator, trail):
    patient = integrator.create()
    answer = operator.get(f"Patient/{patient['id']}")
    assert answer.status_code == 403
    [row] = trail(action="denied")
    assert (row.actor, row.patient, row.outcome) == ("operator token", patient["id"], "denied")


def test_an_outsider_is_turned_away_and_recorded(outsider, integrator, trail):
    patient = integrator.create()
    answer = outsider.get(f"Patient/{patient['id']}")
    assert (answer.status_code, answer["WWW-Authenticate"]) == (401, "Bearer")
    assert [row.actor_kind for row in trail(action="denied")] == ["anonymous"]


def test_a_purpose_that_the_token_lacks_is_denied(clinician, trail):
    assert clinician.get("Patient/x", X_Purpose_Of_Use="HMARKT").status_code == 403
    assert len(trail(action="denied")) == 1


def test_a_clinician_may_not_delete(clinician, integrator, trail):
    patient = integrator.create()
    assert clinician.delete(f"Patient/{patient['id']}").status_code == 403
    assert integrator.get(f"Patient/{patient['id']}").status_code == 200


@pytest.fixture
def broken_trail(integrator, monkeypatch):
    """One patient, and from then on a trail that takes no row, as with a full disk."""
    patient = integrator.create()
    monkeypatch.setattr(ledger, "_APPEND", "SELECT no_such_function(%s, %s)")
    return patient


def test_without_its_row_no_data_leaves(integrator, broken_trail):
    patient = broken_trail
    for path in (f"Patient/{patient['id']}", "Patient?name=jansen", f"Patient/{patient['id']}/_history"):
        answer = integrator.get(path)
        assert answer.status_code == 503, path
        assert b"Jansen" not in answer.content


def test_without_its_row_nothing_is_written(integrator, broken_trail, monkeypatch):
    assert integrator.post("Patient", PATIENT).status_code == 503
    monkeypatch.undo()
    assert integrator.get("Patient?_summary=count").json()["total"] == 1


REWRITES = [
    "UPDATE compliance_accessevent SET actor = 'x'",
    "DELETE FROM compliance_accessevent",
    "TRUNCATE compliance_accessevent",
]


@pytest.mark.parametrize("statement", REWRITES)
@pytest.mark.parametrize("alias", ["default", "trail"])
def test_the_application_cannot_rewrite_its_rows(integrator, statement, alias):
    integrator.get("Patient?name=nobody")
    with pytest.raises(DatabaseError), connections[alias].cursor() as cursor:
        cursor.execute(statement)
    assert AccessEvent.objects.count() == 1


def test_not_even_the_owner_updates_or_deletes_rows(integrator):
    integrator.get("Patient?name=nobody")
    for statement in REWRITES[:2]:
        with pytest.raises(DatabaseError), connections["owner"].cursor() as cursor:
            cursor.execute(statement)
