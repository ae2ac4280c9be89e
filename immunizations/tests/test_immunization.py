"""Immunizations at the API: whose they are, who may do what, and the rows that it leaves."""

import pytest

from healthrecords.fhir.resource import registry
from immunizations.tests.samples import given


def test_it_comes_back_as_it_was_sent(integrator):
    stored = integrator.create(given())
    read = integrator.get(f"Immunization/{stored['id']}").json()
    assert {name: value for name, value in read.items() if name not in ("id", "meta")} == given()


@pytest.mark.parametrize(
    "patient",
    [
        {"identifier": {"system": "urn:example:mrn", "value": "1"}},
        {"display": "Maria"},
        {"reference": "#p", "display": "Maria"},
        {"reference": "https://elsewhere.example/fhir/Patient/1"},
        {"reference": "urn:uuid:7ac0bbd9-9c52-4a34-9a8b-0a0d1b1c2d3e"},
        {"reference": "Patient?identifier=1"},
    ],
)
def test_an_immunization_of_nobody_here_is_refused(integrator, patient):
    answer = integrator.post("Immunization", given(patient=patient))
    assert answer.status_code == 422
    [issue] = [each for each in answer.json()["issue"] if each["severity"] == "error"]
    assert issue["expression"] == ["Immunization.patient"]
    assert integrator.get("Immunization?_summary=count").json()["total"] == 0


def test_an_immunization_without_patient_is_refused(integrator):
    body = given()
    del body["patient"]
    assert integrator.post("Immunization", body).status_code == 422


def test_the_patient_may_be_named_with_a_version_or_our_own_address(integrator, trail):
    for reference in ("Patient/p1/_history/4", "http://127.0.0.1:8000/fhir/Patient/p1"):
        integrator.create(given(patient={"reference": reference}))
    assert [row.patient for row in trail(action="create")] == ["p1", "p1"]


def test_each_interaction_leaves_a_row_for_its_patient(integrator, trail):
    dose = integrator.create(given("p1"))
    path = f"Immunization/{dose['id']}"
    integrator.get(path)
    integrator.put(path, dose)
    integrator.get("Immunization?patient=p1")
    integrator.delete(path)
    rows = [(row.action, row.patient, row.resources) for row in trail()]
    assert rows == [(each, "p1", [path]) for each in ("create", "read", "update", "search", "delete")]


def test_a_list_leaves_one_row_for_each_patient_shown(integrator, trail):
    doses = [integrator.create(given(patient))["id"] for patient in ("p1", "p2", "p1")]
    integrator.get("Immunization?vaccine-code=08")
    shown = {row.patient: set(row.resources) for row in trail(action="search")}
    assert shown == {
        "p1": {f"Immunization/{doses[0]}", f"Immunization/{doses[2]}"},
        "p2": {f"Immunization/{doses[1]}"},
    }


@pytest.mark.parametrize(
    ("role", "statuses"),
    [
        ("clinician", [201, 200, 403]),
        ("immunization-nurse", [201, 200, 403]),
        ("integrator", [201, 200, 204]),
        ("front-desk", [403, 200, 403]),
        ("operator", [403, 403, 403]),
    ],
)
def test_a_role_opens_what_it_names(integrator, caller_with_role, role, statuses):
    path = f"Immunization/{integrator.create(given())['id']}"
    caller = caller_with_role(role)
    answers = [caller.post("Immunization", given()), caller.get(path), caller.delete(path)]
    assert [answer.status_code for answer in answers] == statuses


def test_an_outsider_is_refused(integrator, outsider):
    path = f"Immunization/{integrator.create(given())['id']}"
    assert outsider.get(path).status_code == 401


def test_patient_and_performer_come_along(integrator):
    patient = integrator.create()
    dose = integrator.create(given(patient["id"]))
    bundle = integrator.get(f"Immunization?_id={dose['id']}&_include=Immunization:patient").json()
    assert [entry["resource"]["id"] for entry in bundle["entry"]] == [dose["id"], patient["id"]]
    found = integrator.get("Immunization?patient.identifier=urn:example:mrn|MRN-1").json()
    assert [entry["resource"]["id"] for entry in found["entry"]] == [dose["id"]]


def test_a_type_is_served_after_the_types_that_it_points_to():
    order = list(registry())
    assert order.index("Patient") < order.index("Immunization") < order.index("Provenance") == len(order) - 1
