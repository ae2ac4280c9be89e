"""Provenance at the API: found by every parameter, and about the patients of what it points to."""

import pytest
from django.db import transaction

from healthrecords.access.request import SYSTEM
from healthrecords.fhir import store
from healthrecords.provenance.fhir import PROVENANCE, SEARCH
from healthrecords.provenance.models import Provenance
from healthrecords.records import RecordVersion

PARTICIPATION = "http://terminology.hl7.org/CodeSystem/provenance-participant-type"
SIGNATURES = "urn:iso-astm:E1762-95:2013"
AUTHOR = {
    "type": {"coding": [{"system": PARTICIPATION, "code": "author"}]},
    "role": [{"coding": [{"system": "urn:example:roles", "code": "nurse"}]}],
    "who": {"reference": "Practitioner/n1"},
    "onBehalfOf": {"reference": "Organization/o1"},
}
VACCINE = {"coding": [{"system": "http://hl7.org/fhir/sid/cvx", "code": "08"}]}


def dose(patient):
    return {
        "resourceType": "Immunization",
        "status": "completed",
        "vaccineCode": VACCINE,
        "patient": {"reference": f"Patient/{patient}"},
        "occurrenceDateTime": "2024-05-17",
    }


def about(*targets, **changes):
    return {
        "resourceType": "Provenance",
        "target": [{"reference": target} for target in targets],
        "recorded": "2024-05-17T10:00:00Z",
        "agent": [AUTHOR],
        **changes,
    }


FULL = about(
    "Patient/p1",
    "Observation/b1",
    occurredPeriod={"start": "2024-05-16", "end": "2024-05-17"},
    location={"reference": "Location/l1"},
    entity=[{"role": "source", "what": {"reference": "DocumentReference/d1"}}],
    signature=[
        {
            "type": [{"system": SIGNATURES, "code": "1.2.840.10065.1.12.1.1"}],
            "when": "2024-05-17T10:00:00Z",
            "who": {"reference": "Practitioner/n1"},
        }
    ],
)
FOUND = [
    "target=Patient/p1", "target=Observation/b1", "target=b1", "target:Observation=b1", "patient=Patient/p1",
    "patient=p1", "agent=Practitioner/n1", "agent=n1", "agent:Practitioner=n1", "agent-role=nurse",
    f"agent-type={PARTICIPATION}|author", "entity=DocumentReference/d1", "location=l1", "recorded=2024-05-17",
    "recorded=ge2024-05-17T10:00:00Z", f"signature-type={SIGNATURES}|1.2.840.10065.1.12.1.1", "when=gt2024-05-16",
    "when=2024-05",
]  # fmt: skip
MISSED = [
    "target=Patient/b1", "target:Patient=b1", "patient=b1", "agent=Organization/o1", "agent=Patient/n1",
    "agent-role=author", "agent-type=nurse", "entity=Patient/p1", "location=l2", "recorded=2024-05-18",
    "signature-type=author", "when=2024-05-17", "when=gt2024-05-18",
]  # fmt: skip


def hits(caller, terms):
    answer = caller.get(f"Provenance?{terms}")
    assert answer.status_code == 200, answer.content
    return [entry["resource"]["id"] for entry in answer.json().get("entry", [])]


@pytest.mark.parametrize("terms", FOUND)
def test_a_search_finds_it(integrator, terms):
    assert hits(integrator, terms) == [] != [integrator.create(FULL)["id"]] == hits(integrator, terms)


@pytest.mark.parametrize("terms", MISSED)
def test_a_search_for_something_else_does_not(integrator, terms):
    integrator.create(FULL)
    assert hits(integrator, terms) == []


def test_every_parameter_is_tried_both_ways():
    for tried in (FOUND, MISSED):
        assert {terms.partition("=")[0].partition(":")[0] for terms in tried} == {each.name for each in SEARCH}


def test_it_is_about_the_patients_of_all_its_targets(integrator, trail):
    shot = integrator.create(dose("p2"))
    made = integrator.create(about("Patient/p1", f"Immunization/{shot['id']}", "Organization/o1", "Observation/x"))
    integrator.get(f"Provenance/{made['id']}")
    integrator.get(f"Provenance?target=Immunization/{shot['id']}")
    for action in ("create", "read", "search"):
        rows = [row for row in trail(action=action) if row.resources == [f"Provenance/{made['id']}"]]
        assert sorted(row.patient for row in rows) == ["p1", "p2"]


def test_a_provenance_of_an_organization_is_about_nobody(integrator, trail):
    made = integrator.create(about("Organization/o1"))
    integrator.get(f"Provenance/{made['id']}")
    assert [row.patient for row in trail()] == [None, None]


def versions(logical_id):
    rows = RecordVersion.objects.filter(resource_type="Provenance", logical_id=logical_id).order_by("version")
    return [(row.patients, row.author) for row in rows]


def test_a_target_that_comes_later_adds_its_patient(integrator):
    made = integrator.create(about("Immunization/later"))
    integrator.put("Immunization/later", {**dose("p7"), "id": "later"})
    assert versions(made["id"]) == [([], "token:integrator token"), (["p7"], "system:system")]
    assert Provenance.objects.get().patients == ["p7"]
    now = integrator.get(f"Provenance/{made['id']}").json()
    assert (now["target"], now["meta"]["versionId"]) == (made["target"], "2")


def test_a_target_that_moves_to_another_patient_takes_its_provenance_along(integrator):
    shot = integrator.create(dose("p1"))
    made = integrator.create(about(f"Immunization/{shot['id']}"))
    integrator.put(f"Immunization/{shot['id']}", {**dose("p2"), "id": shot["id"]})
    assert [patients for patients, _ in versions(made["id"])] == [["p1"], ["p2"]]


def test_a_target_that_changes_without_moving_leaves_its_provenance_alone(integrator):
    shot = integrator.create(dose("p1"))
    made = integrator.create(about(f"Immunization/{shot['id']}"))
    integrator.put(f"Immunization/{shot['id']}", {**dose("p1"), "id": shot["id"], "status": "entered-in-error"})
    integrator.delete(f"Immunization/{shot['id']}")
    assert len(versions(made["id"])) == 1


def test_a_deleted_provenance_is_left_alone(integrator):
    made = integrator.create(about("Immunization/later"))
    with transaction.atomic():
        store.remove(PROVENANCE, Provenance.objects.get(), SYSTEM)
    integrator.put("Immunization/later", {**dose("p7"), "id": "later"})
    assert [patients for patients, _ in versions(made["id"])] == [[], []]


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_in_a_transaction_the_order_of_entries_does_not_matter(integrator, order):
    entries = [
        {"fullUrl": "urn:uuid:0d8a5a8e-2c8e-4a3f-9d5d-3c6a5f5ad6a1", "resource": dose("p9")},
        {"resource": about("urn:uuid:0d8a5a8e-2c8e-4a3f-9d5d-3c6a5f5ad6a1")},
    ]
    for entry in entries:
        entry["request"] = {"method": "POST", "url": entry["resource"]["resourceType"]}
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": [entries[at] for at in order]}
    answer = integrator.post("/fhir/", bundle)
    assert answer.status_code == 200, answer.content
    assert [(row.patients, row.version) for row in Provenance.objects.all()] == [(["p9"], 1)]


def test_what_points_to_a_match_comes_along(integrator):
    shot = integrator.create(dose("p1"))
    made = integrator.create(about(f"Immunization/{shot['id']}"))
    bundle = integrator.get("Immunization?vaccine-code=08&_revinclude=Provenance:target").json()
    assert [entry["resource"]["id"] for entry in bundle["entry"]] == [shot["id"], made["id"]]
    bundle = integrator.get(f"Provenance?_id={made['id']}&_include=Provenance:target").json()
    assert [entry["resource"]["id"] for entry in bundle["entry"]] == [made["id"], shot["id"]]


@pytest.mark.parametrize(
    ("role", "statuses"),
    [
        ("clinician", [201, 200, 403]),
        ("immunization-nurse", [201, 200, 403]),
        ("integrator", [201, 200, 403]),
        ("front-desk", [403, 403, 403]),
        ("operator", [403, 403, 403]),
    ],
)
def test_a_role_opens_what_it_names(integrator, caller_with_role, role, statuses):
    made = integrator.create(FULL)
    path, caller = f"Provenance/{made['id']}", caller_with_role(role)
    answers = [caller.post("Provenance", FULL), caller.get(path), caller.put(path, made)]
    assert [answer.status_code for answer in answers] == statuses
