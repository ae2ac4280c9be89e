"""Scope × interaction × resource, over HTTP: what each scope opens, and that it opens nothing else."""

import itertools

import pytest
from django.db import transaction

from healthrecords.accounts.models import Role
from tests.cast import Caller

from .conftest import OWN, PEOPLE, TYPES, of

INTERACTIONS = ("read", "vread", "history", "search", "post-search", "create", "update", "delete")
LETTER = {"read": "r", "vread": "r", "history": "r", "search": "s", "post-search": "s"} | {
    "create": "c", "update": "u", "delete": "d"
}  # fmt: skip
# Binary has neither versions nor a list: its content is read and sent.
CELLS = [
    (kind, interaction)
    for kind, interaction in itertools.product(TYPES, INTERACTIONS)
    if kind != "Binary" or interaction in ("read", "create")
]


def attempt(caller: Caller, kind: str, interaction: str, person: str, records: dict) -> bool:
    """Whether the interaction reaches what is stored about the person."""
    logical_id = records[kind, person]
    where, body = f"{kind}/{logical_id}", {**of(kind, person), "id": logical_id}
    match interaction:
        case "read":
            answer = caller.get(where)
        case "vread":
            answer = caller.get(f"{where}/_history/1")
        case "history":
            answer = caller.get(f"{where}/_history")
        case "search":
            answer = caller.get(f"{kind}?_id={logical_id}")
        case "post-search":
            form = "application/x-www-form-urlencoded"
            answer = caller.post(f"{kind}/_search", f"_id={logical_id}", Content_Type=form)
        case "create" if kind == "Binary":
            answer = caller.post(kind, "hello", Content_Type="text/plain")
        case "create":
            answer = caller.post(kind, {name: value for name, value in body.items() if name != "id"})
        case "update":
            answer = caller.put(where, body)
        case _:
            answer = caller.delete(where)
    assert answer.status_code in (200, 201, 204, 403, 404, 409), answer.content
    reached = answer.status_code < 300
    return reached and (interaction not in ("search", "post-search") or "entry" in answer.json())


# Who is reached by each scope, launched for Ann: the letters by type for Ann's and for Ben's records.
SCOPES = {
    "": {},
    "openid fhirUser launch/patient": {},
    "system/*.cruds": {(kind, person): "cruds" for kind in TYPES for person in PEOPLE},
    "user/*.rs": {(kind, person): "rs" for kind in TYPES for person in PEOPLE},
    "system/Patient.read": {("Patient", person): "rs" for person in PEOPLE},
    "user/Immunization.cu user/Practitioner.d": {("Immunization", person): "cu" for person in PEOPLE}
    | {("Practitioner", person): "d" for person in PEOPLE},
    "patient/*.rs": {(kind, "ann"): "rs" for kind in (*OWN, "Binary")},
    # Her record exists already: an app that was launched for her cannot add a second one.
    "patient/*.cruds": {(kind, "ann"): "cruds" for kind in OWN[1:]}
    | {("Patient", "ann"): "ruds", ("Binary", "ann"): "cr", ("Binary", "ben"): "c"},
    "patient/Immunization.write patient/Practitioner.cruds": {("Immunization", "ann"): "cud"}
    | {("Practitioner", person): "rs" for person in PEOPLE},
    "patient/Binary.r": {},  # content is reached by its document alone
    "patient/DocumentReference.rs user/Patient.s": {("DocumentReference", "ann"): "rs"}
    | {("Patient", person): "s" for person in PEOPLE},
    "user/Immunization.rus?status=completed": {("Immunization", person): "rsu" for person in PEOPLE},
    "user/Immunization.cruds?status=not-done": {},
    "patient/Immunization.rs?status=not-done patient/Immunization.s?vaccine-code=140": {("Immunization", "ann"): "s"},
}


@pytest.mark.parametrize("scopes", SCOPES)
def test_a_scope_opens_what_it_says_and_nothing_else(scoped, records, scopes):
    """len(SCOPES) × 42 cells × 2 people; writes are rolled back, so that each cell meets the same records."""
    app, role = scoped(scopes, patient="ann"), Role.objects.get(name="integrator").permissions
    wrong = []
    for (kind, interaction), person in itertools.product(CELLS, PEOPLE):
        with transaction.atomic():
            reached = attempt(app, kind, interaction, person, records)
            transaction.set_rollback(True)
        expected = LETTER[interaction] in SCOPES[scopes].get((kind, person), "")
        expected = expected and LETTER[interaction] in role["Directory" if kind == "Practitioner" else kind]
        if reached != expected:
            wrong.append(f"{interaction} of {kind} of {person}: {'open' if reached else 'shut'}")
    assert not wrong


def test_a_scope_never_gives_more_than_the_role(scoped, records):
    """The front desk reads doses and may not write them; it sees no documents' sources at all."""
    app = scoped("system/*.cruds", role="front-desk")
    assert app.get("Immunization/immunization-ann").status_code == 200
    assert app.put("Immunization/immunization-ann", of("Immunization", "ann")).status_code == 403
    assert app.get(f"Provenance/{records['Provenance', 'ann']}").status_code == 403


def test_a_patients_scope_without_a_patient_opens_nothing(scoped, records):
    app = scoped("patient/*.cruds")
    assert app.get("Patient/ann").status_code == 403
    assert app.get("Patient").status_code == 403


def test_a_refusal_names_the_scope_that_is_lacking(scoped, records):
    answer = scoped("patient/Patient.r", patient="ann").get("Immunization?patient=ann")
    assert answer.status_code == 403
    assert "patient/Immunization.s" in answer.json()["issue"][0]["diagnostics"]
    assert answer.headers["WWW-Authenticate"] == 'Bearer error="insufficient_scope", scope="patient/Immunization.s"'
