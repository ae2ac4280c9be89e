"""Create, read, update, delete and their versions, over HTTP."""

from tests.cast import PATIENT, Caller


def test_a_created_patient_is_read_back_as_it_was_sent(integrator):
    answer = integrator.post("Patient", PATIENT)
    stored = answer.json()
    assert answer.status_code == 201
    assert answer["Location"].endswith(f"/fhir/Patient/{stored['id']}/_history/1")
    assert answer["ETag"] == 'W/"1"'
    read = integrator.get(f"Patient/{stored['id']}")
    assert read.status_code == 200
    assert read["Content-Type"].startswith("application/fhir+json")
    assert {name: value for name, value in read.json().items() if name not in ("id", "meta")} == PATIENT
    assert read.json()["meta"]["versionId"] == "1"


def test_the_id_of_a_create_is_the_servers(integrator):
    assert integrator.create(id="mine")["id"] != "mine"


def test_a_put_to_an_unknown_id_creates_with_that_id(integrator):
    answer = integrator.put("Patient/known-elsewhere.7", {**PATIENT, "id": "known-elsewhere.7"})
    assert answer.status_code == 201
    assert integrator.get("Patient/known-elsewhere.7").status_code == 200


def test_an_update_makes_the_next_version_and_keeps_the_first(integrator):
    stored = integrator.create()
    path = f"Patient/{stored['id']}"
    answer = integrator.put(path, {**stored, "gender": "other"}, If_Match='W/"1"')
    assert answer.status_code == 200
    assert answer["ETag"] == 'W/"2"'
    assert integrator.get(path).json()["gender"] == "other"
    assert integrator.get(f"{path}/_history/1").json()["gender"] == "female"


def test_a_stale_etag_is_refused_and_changes_nothing(integrator):
    stored = integrator.create()
    path = f"Patient/{stored['id']}"
    integrator.put(path, {**stored, "gender": "other"})
    answer = integrator.put(path, {**stored, "gender": "male"}, If_Match='W/"1"')
    assert answer.status_code == 412
    assert answer.json()["resourceType"] == "OperationOutcome"
    assert integrator.get(path).json()["gender"] == "other"


def test_if_match_on_a_record_that_is_not_there_is_refused(integrator):
    answer = integrator.put("Patient/nobody", {**PATIENT, "id": "nobody"}, If_Match='W/"1"')
    assert answer.status_code == 412
    assert integrator.get("Patient/nobody").status_code == 404


def test_if_none_match_star_refuses_to_overwrite(integrator):
    stored = integrator.create()
    assert integrator.put(f"Patient/{stored['id']}", stored, If_None_Match="*").status_code == 412


def test_a_read_that_knows_the_version_gets_304(integrator):
    path = f"Patient/{integrator.create()['id']}"
    answer = integrator.get(path, If_None_Match='W/"1"')
    assert (answer.status_code, answer.content) == (304, b"")
    later = integrator.get(path)["Last-Modified"]
    assert integrator.get(path, If_Modified_Since=later).status_code == 304
    assert integrator.get(path, If_None_Match='W/"9"').status_code == 200


def test_a_deleted_patient_is_gone_but_its_history_is_not(integrator):
    stored = integrator.create()
    path = f"Patient/{stored['id']}"
    assert integrator.delete(path).status_code == 204
    assert integrator.get(path).status_code == 410
    assert integrator.get(f"{path}/_history/1").status_code == 200
    assert integrator.get(f"{path}/_history/2").status_code == 410
    methods = [entry["request"]["method"] for entry in integrator.get(f"{path}/_history").json()["entry"]]
    assert methods == ["DELETE", "POST"]
    assert integrator.get("Patient").json().get("entry", []) == []
    assert integrator.delete(path).status_code == 204


def test_a_put_brings_a_deleted_patient_back(integrator):
    stored = integrator.create()
    path = f"Patient/{stored['id']}"
    integrator.delete(path)
    answer = integrator.put(path, stored)
    assert (answer.status_code, answer["ETag"]) == (201, 'W/"3"')
    assert integrator.get(path).status_code == 200
    found = integrator.get("Patient?name=jansen").json()["entry"]
    assert [entry["resource"]["id"] for entry in found] == [stored["id"]]


def test_deleting_what_never_was_is_404(integrator):
    assert integrator.delete("Patient/nobody").status_code == 404


def test_if_none_exist_creates_once(integrator):
    condition = "identifier=urn:example:mrn|MRN-1"
    first = integrator.post("Patient", PATIENT, If_None_Exist=condition)
    second = integrator.post("Patient", PATIENT, If_None_Exist=condition)
    assert (first.status_code, second.status_code) == (201, 200)
    assert second.json()["id"] == first.json()["id"]
    integrator.create()
    assert integrator.post("Patient", PATIENT, If_None_Exist=condition).status_code == 412


def test_prefer_minimal_answers_without_a_body(integrator):
    answer = integrator.post("Patient", PATIENT, Prefer="return=minimal")
    assert (answer.status_code, answer.content) == (201, b"")
    told = integrator.post("Patient", PATIENT, Prefer="return=OperationOutcome").json()
    assert told["resourceType"] == "OperationOutcome"


def test_every_served_type_is_created_read_and_found(integrator):
    samples = [
        {"resourceType": "Organization", "name": "Harbour Clinic", "active": True},
        {"resourceType": "Practitioner", "name": [{"family": "Okafor", "given": ["Ada"]}]},
        {"resourceType": "Location", "name": "Room 4", "status": "active"},
        PATIENT,
    ]
    for sample in samples:
        stored = integrator.create(sample)
        kind = sample["resourceType"]
        assert integrator.get(f"{kind}/{stored['id']}").json()["id"] == stored["id"]
        found = integrator.get(f"{kind}?_id={stored['id']}").json()["entry"]
        assert [entry["resource"] for entry in found] == [stored]


def test_decimals_keep_their_digits(integrator):
    height = {"url": "http://example.org/height", "valueDecimal": 1.0}
    body = {**PATIENT, "extension": [height]}
    sent = __import__("json").dumps(body).replace('"valueDecimal": 1.0', '"valueDecimal": 1.00')
    stored = integrator.post("Patient", sent)
    assert '"valueDecimal":1.00' in integrator.get(f"Patient/{stored.json()['id']}").content.decode()


def test_metadata_is_open_and_lists_what_is_served():
    answer = Caller(None).get("metadata")
    served = {each["type"]: each for each in answer.json()["rest"][0]["resource"]}
    assert answer.status_code == 200
    assert {"Patient", "Organization", "Practitioner", "Location"} <= set(served)
    names = {param["name"] for param in served["Patient"]["searchParam"]}
    assert {"identifier", "birthdate", "general-practitioner", "language", "_lastUpdated"} <= names
