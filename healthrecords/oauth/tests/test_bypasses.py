"""Ways around a scope, each tried: an app launched for Ann wants something of Ben, or of a type it has no scope for."""

import pytest

from tests.cast import PATIENT

from .conftest import of

DOSE, DOCUMENT = "Immunization/immunization-ann", "DocumentReference/documentreference-ann"
BENS = "Immunization/immunization-ben"


@pytest.fixture
def app(scoped, records):
    """Launched for Ann, with all that a patient's scope can open."""
    return scoped("patient/*.cruds", patient="ann")


def listed(answer):
    """What a Bundle holds, as `Type/id`."""
    assert answer.status_code == 200, answer.content
    found = [entry["resource"] for entry in answer.json().get("entry", []) if "resource" in entry]
    return {f"{each['resourceType']}/{each['id']}" for each in found}


def dose(person="ann", **changes):
    return {name: value for name, value in of("Immunization", person).items() if name != "id"} | changes


def bundle(kind, *entries):
    requests = [{"request": {"method": method, "url": url}, **rest} for method, url, rest in entries]
    return {"resourceType": "Bundle", "type": kind, "entry": requests}


# --- other types and other patients by way of a search ---------------------------------------------------------------


def test_an_include_adds_no_type_that_no_scope_opens(scoped, records):
    terms = "patient=ann&_include=Immunization:patient&_include=Immunization:performer"
    assert listed(scoped("user/Immunization.rs").get(f"Immunization?{terms}")) == {DOSE}
    assert listed(scoped("user/Immunization.rs user/Patient.r").get(f"Immunization?{terms}")) == {DOSE}
    assert listed(scoped("user/Immunization.rs user/Patient.s").get(f"Immunization?{terms}")) == {DOSE, "Patient/ann"}


def test_an_include_reaches_no_other_patient(app, integrator, records):
    sibling = {"type": "seealso", "other": {"reference": "Patient/ben"}}
    assert integrator.put("Patient/ann", {**PATIENT, "id": "ann", "link": [sibling]}).status_code == 200
    assert listed(app.get("Patient?_include=Patient:link")) == {"Patient/ann"}


def test_a_revinclude_adds_only_what_the_scopes_open(app, scoped, integrator, records):
    both = {**of("Provenance", "ann"), "target": [{"reference": "Patient/ann"}, {"reference": "Patient/ben"}]}
    integrator.create(both)
    found = listed(app.get("Patient?_revinclude=Provenance:target&_revinclude=Immunization:patient"))
    assert found == {"Patient/ann", DOSE, f"Provenance/{records['Provenance', 'ann']}"}
    assert listed(scoped("user/Patient.rs").get("Patient?_id=ann&_revinclude=Provenance:target")) == {"Patient/ann"}
    constrained = scoped("user/Patient.rs user/Immunization.rs?status=not-done")
    assert listed(constrained.get("Patient?_id=ann&_revinclude=Immunization:patient")) == {"Patient/ann"}


def test_a_chain_looks_only_at_what_the_scopes_open(scoped, records):
    chain = "Immunization?patient.name=jansen"
    assert listed(scoped("user/Immunization.rs").get(chain)) == set()
    assert listed(scoped("user/Immunization.rs patient/Patient.rs", patient="ann").get(chain)) == {DOSE}
    assert listed(scoped("user/Immunization.rs user/Patient.rs?gender=male").get(chain)) == set()


def test_there_is_no_has(app):
    assert app.get("Patient?_has:Immunization:patient:status=completed").status_code == 400


def test_a_total_counts_only_what_the_scopes_open(app, scoped, records):
    for terms in ("_total=accurate", "_summary=count", "_total=estimate", "_count=0"):
        assert app.get(f"Immunization?{terms}").json()["total"] == 1
        assert scoped("user/Immunization.rs?status=not-done").get(f"Immunization?{terms}").json()["total"] == 0


@pytest.mark.parametrize("terms", ["_elements=patient", "_summary=true", "_summary=text", "_sort=-date", "_id=x,y"])
def test_the_shape_of_an_answer_opens_nothing(app, records, terms):
    terms = terms.replace("x,y", "immunization-ann,immunization-ben")
    assert listed(app.get(f"Immunization?{terms}")) == {DOSE}
    if terms.startswith(("_elements", "_summary")):
        assert app.get(f"{BENS}?{terms}").status_code == 404


def test_the_next_page_is_narrowed_anew(app, integrator, records):
    integrator.create(dose())
    for terms in ("_count=1", "_count=1&_sort=date"):
        first = app.get(f"Immunization?{terms}").json()
        following = first["link"][1]["url"]
        moved = integrator.get(DOSE).json() | {"patient": {"reference": "Patient/ben"}}
        for each in integrator.get("Immunization?patient=ann").json()["entry"]:
            moved = each["resource"] | {"patient": {"reference": "Patient/ben"}}
            assert integrator.put(f"Immunization/{moved['id']}", moved).status_code == 200
        assert listed(app.get(following)) == set()
        assert integrator.get(following).status_code == 400, "a link is its holder's"
        for each in (DOSE.rpartition("/")[2], moved["id"]):
            assert integrator.put(f"Immunization/{each}", {**dose(), "id": each}).status_code == 200


def test_the_trail_is_not_a_patients(scoped, records):
    """Nothing narrows its rows to a patient or a constraint, so that such a scope does not open it."""
    for scopes, status in {
        "user/AuditEvent.rs": 200, "system/*.rs": 200, "patient/*.rs": 403, "patient/AuditEvent.rs": 403,
        "user/AuditEvent.rs?patient=ann": 403,
    }.items():  # fmt: skip
        assert scoped(scopes, patient="ann", role="auditor").get("AuditEvent").status_code == status, scopes


# --- single records --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("header", [{"If_None_Match": 'W/"1"'}, {"If_Modified_Since": "Wed, 25 Nov 2099 10:00:00 GMT"}])
def test_a_conditional_read_tells_nothing_of_others(app, header):
    assert app.get(DOSE, **header).status_code == 304
    assert app.get(BENS, **header).status_code == 404
    assert app.send("HEAD", BENS).status_code == 404


def test_the_deletion_of_another_patients_record_is_not_told(app, integrator, records):
    for each in (DOSE, BENS):
        assert integrator.delete(each).status_code == 204
    assert app.get(DOSE).status_code == 410
    assert app.get(BENS).status_code == 404


def test_a_stored_record_beyond_the_scopes_is_not_validated(app, scoped):
    assert app.get(f"{DOSE}/$validate").status_code == 200
    assert app.get(f"{BENS}/$validate").status_code == 404
    assert app.post(f"{BENS}/$validate", of("Immunization", "ben")).status_code == 404
    assert scoped("user/Patient.rs").post("Immunization/$validate", dose()).status_code == 403


def test_versions_from_when_a_record_was_another_patients_stay_shut(app, integrator):
    assert integrator.put(DOSE, of("Immunization", "ben") | {"id": "immunization-ann"}).status_code == 200
    assert integrator.put(DOSE, of("Immunization", "ann")).status_code == 200
    assert [app.get(f"{DOSE}/_history/{number}").status_code for number in (1, 2, 3)] == [200, 404, 200]
    assert app.get(f"{DOSE}/_history").json()["total"] == 2
    versions = [each["response"]["etag"] for each in app.get("Immunization/_history").json()["entry"]]
    assert versions == ['W/"3"', 'W/"1"']


def test_under_a_constraint_only_the_present_version_is_shown(scoped, integrator, records):
    app = scoped("user/Immunization.rs?status=completed")
    assert integrator.put(DOSE, of("Immunization", "ann") | {"status": "not-done"}).status_code == 200
    assert [app.get(path).status_code for path in (DOSE, f"{DOSE}/_history", f"{DOSE}/_history/1")] == [404] * 3
    assert integrator.put(DOSE, of("Immunization", "ann")).status_code == 200
    assert [app.get(f"{DOSE}/_history/{number}").status_code for number in (1, 2, 3)] == [404, 404, 200]
    assert app.get(f"{DOSE}/_history").json()["total"] == 1


def test_a_history_since_reaches_no_others(app, records):
    assert BENS not in listed(app.get("Immunization/_history?_since=2020-01-01T00:00:00Z"))
    assert app.get(f"{BENS}/_history").status_code == 404


# --- writes ----------------------------------------------------------------------------------------------------------


def test_nothing_is_written_for_another_patient(app, integrator, trail):
    answer = app.post("Immunization", dose("ben"))
    assert answer.status_code == 403
    assert "patient/*.cruds" in answer.json()["issue"][0]["diagnostics"]
    assert app.put("Immunization/new", dose("ben") | {"id": "new"}).status_code == 403
    assert app.put(DOSE, of("Immunization", "ben") | {"id": "immunization-ann"}).status_code == 403
    assert app.put(BENS, of("Immunization", "ann") | {"id": "immunization-ben"}).status_code == 409
    assert app.delete(BENS).status_code == 404
    assert app.post("Patient", PATIENT).status_code == 403
    shared = {**of("Provenance", "ann"), "target": [{"reference": "Patient/ann"}, {"reference": "Patient/ben"}]}
    assert app.post("Provenance", shared).status_code == 403
    assert listed(integrator.get("Immunization")) == {DOSE, BENS}
    assert all(integrator.get(each).json()["meta"]["versionId"] == "1" for each in (DOSE, BENS))
    assert len(trail(action="denied", actor="app 0")) == 5


def test_under_a_constraint_old_and_new_must_match(scoped, integrator, records):
    app = scoped("user/Immunization.cud?status=completed")
    undone = {"status": "not-done"}
    assert app.post("Immunization", dose()).status_code == 201
    assert app.post("Immunization", dose(**undone)).status_code == 403
    assert app.put(DOSE, of("Immunization", "ann") | undone).status_code == 403
    assert app.put(DOSE, of("Immunization", "ann") | {"lotNumber": "L2"}).status_code == 200
    assert integrator.put(DOSE, of("Immunization", "ann") | undone).status_code == 200
    assert app.put(DOSE, of("Immunization", "ann")).status_code == 409
    assert app.delete(DOSE).status_code == 404
    assert integrator.get(DOSE).json()["status"] == "not-done"


def test_an_update_creates_only_with_the_letter_for_it(scoped, records):
    app = scoped("user/Immunization.u")
    assert app.put("Immunization/new", {**dose(), "id": "new"}).status_code == 403
    both = bundle("transaction", ("PUT", "Immunization/new", {"resource": {**dose(), "id": "new"}}))
    assert app.post("", both).status_code == 403


def test_a_condition_finds_only_what_the_scopes_open(app, scoped, integrator, records):
    answer = app.post("Immunization", dose(), If_None_Exist="patient=ben")
    assert answer.status_code == 201, "Ben's dose is none for this app"
    assert app.post("Immunization", dose(), If_None_Exist="_id=immunization-ann").status_code == 200
    without = scoped("user/Immunization.cr").post("Immunization", dose(), If_None_Exist="_id=immunization-ann")
    assert without.status_code == 403, "a condition is a search"


# --- many at once ----------------------------------------------------------------------------------------------------


def test_each_entry_of_a_batch_is_narrowed(app, scoped, records):
    entries = [
        ("GET", DOSE, {}), ("GET", BENS, {}), ("GET", f"{BENS}/_history/1", {}),
        ("GET", "Immunization?patient=ben", {}),
        ("POST", "Immunization", {"resource": dose("ben")}), ("DELETE", BENS, {}),
    ]  # fmt: skip
    answers = app.post("", bundle("batch", *entries)).json()["entry"]
    assert [each["response"]["status"][:3] for each in answers] == ["200", "404", "404", "200", "403", "404"]
    assert "entry" not in answers[3]["resource"]
    answers = scoped("user/Patient.rs").post("", bundle("batch", *entries)).json()["entry"]
    assert {each["response"]["status"][:3] for each in answers} == {"403"}


@pytest.mark.parametrize(
    ("entry", "status"),
    [
        (("POST", "Immunization", {"resource": dose("ben")}), 403),
        (("PUT", DOSE, {"resource": of("Immunization", "ben") | {"id": "immunization-ann"}}), 403),
        (("PUT", BENS, {"resource": of("Immunization", "ann") | {"id": "immunization-ben"}}), 409),
        (("DELETE", BENS, {}), 404),
        (("GET", BENS, {}), 404),
        (("POST", "Practitioner", {"resource": {"resourceType": "Practitioner", "active": True}}), 403),
        (("POST", "Immunization", {"resource": dose(patient={"reference": "Patient?name=nobody"})}), 412),
    ],
)
def test_a_transaction_with_one_entry_beyond_the_scopes_writes_nothing(app, integrator, entry, status):
    answer = app.post("", bundle("transaction", ("POST", "Immunization", {"resource": dose()}), entry))
    assert answer.status_code == status, answer.content
    assert listed(integrator.get("Immunization")) == {DOSE, BENS}


def test_a_conditional_reference_finds_only_what_the_scopes_open(app, scoped, integrator, records):
    integrator.put("Patient/ben", {**PATIENT, "id": "ben", "name": [{"family": "Bakker"}]})
    entry = ("POST", "Immunization", {"resource": dose(patient={"reference": "Patient?name=bakker"})})
    assert app.post("", bundle("transaction", entry)).status_code == 412
    assert scoped("user/Immunization.c").post("", bundle("transaction", entry)).status_code == 403
    assert scoped("user/Immunization.c user/Patient.s").post("", bundle("transaction", entry)).status_code == 200


# --- content ---------------------------------------------------------------------------------------------------------


def test_content_is_opened_by_a_document_that_the_scopes_open(scoped, records):
    where = f"Binary/{records['Binary', 'ann']}"
    for scopes, status in {
        "patient/Binary.r patient/DocumentReference.r": 200,
        "patient/Binary.r patient/DocumentReference.r?status=current": 200,
        "patient/Binary.r patient/DocumentReference.r?status=superseded": 404,
        "patient/Binary.r patient/DocumentReference.s": 404,
        "patient/Binary.r": 404,
        "patient/DocumentReference.r": 403,
    }.items():
        app = scoped(scopes, patient="ann")
        assert app.get(where).status_code == status, scopes
        assert app.send("HEAD", where).status_code == status, scopes
        assert app.get(where, Accept="application/fhir+json").status_code == status, scopes
        assert app.get(where, Range="bytes=0-1").status_code == (206 if status == 200 else status), scopes


def test_a_new_document_opens_no_content_that_was_shut(scoped, records):
    app = scoped("patient/DocumentReference.crs?status=superseded patient/Binary.r", patient="ann")
    where = f"Binary/{records['Binary', 'ann']}"
    body = {name: value for name, value in of("DocumentReference", "ann").items() if name != "id"}
    pointing = {**body, "status": "superseded", "content": [{"attachment": {"url": where}}]}
    assert app.post("DocumentReference", pointing).status_code == 201
    assert app.get(where).status_code == 404
