"""A patient comes out as it went in: generated ones, and those that ship as samples."""

import gzip
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from healthrecords.access.request import SYSTEM
from healthrecords.fhir import store
from healthrecords.fhir.acceptance import validate
from healthrecords.fhir.mapping import from_fhir, load, to_fhir
from healthrecords.fhir.tests.lossless import same
from healthrecords.importing.demo import FILE as DEMO
from healthrecords.jsontext import parse_json
from patients.fhir.patient import MAPPING, PATIENT
from patients.tests.lossless import US_CORE, patients

EXAMPLES = Path(__file__).parents[2] / "healthrecords/fhir/tests/data/hl7-r4-examples.ndjson"
SLOW = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large]


def samples():
    lines = [*gzip.decompress(DEMO.read_bytes()).splitlines(), *EXAMPLES.read_bytes().splitlines()]
    found = [parse_json(line) for line in lines]
    return [each for each in found if each["resourceType"] == "Patient"]


def content(resource):
    """What of a resource is its own: without id, version and time."""
    meta = {name: value for name, value in resource.get("meta", {}).items() if name not in ("versionId", "lastUpdated")}
    rest = {name: value for name, value in resource.items() if name not in ("id", "meta")}
    return same({**rest, "meta": meta} if meta else rest)


def through_columns(resource):
    return {"resourceType": "Patient", **to_fhir(MAPPING, from_fhir(MAPPING, resource))}


def through_database(resource):
    """Write a patient and read it back from its tables, and as it is served."""
    [version] = store.write(PATIENT, [store.Change(store.draft_of(PATIENT, resource))], SYSTEM)
    row = PATIENT.model.objects.get(logical_id=version.logical_id)
    return {"resourceType": "Patient", **to_fhir(MAPPING, load(MAPPING, row))}, parse_json(version.content)


def test_there_are_samples():
    assert len(samples()) >= 37


@pytest.mark.parametrize("sample", samples(), ids=lambda sample: sample["id"])
def test_a_sample_patient_comes_out_of_the_database_as_it_went_in(db, sample):
    assert list(validate(PATIENT, sample)) == []
    for resource in through_database(sample):
        assert content(resource) == content(sample)


def test_many_patients_written_at_once_come_out_as_they_went_in(db):
    versions = store.write(PATIENT, [store.Change(store.draft_of(PATIENT, each)) for each in samples()], SYSTEM)
    rows = PATIENT.model.objects.in_bulk([version.logical_id for version in versions], field_name="logical_id")
    for sample, version in zip(samples(), versions, strict=True):
        read = to_fhir(MAPPING, load(MAPPING, rows[version.logical_id]))
        assert content({"resourceType": "Patient", **read}) == content(sample)


@settings(max_examples=150, deadline=None, suppress_health_check=SLOW)
@given(resource=patients())
def test_any_patient_comes_out_of_the_columns_as_it_went_in(resource):
    assert content(through_columns(resource)) == content(resource)


@settings(max_examples=40, deadline=None, suppress_health_check=SLOW)
@given(resource=patients())
def test_any_patient_comes_out_of_the_database_as_it_went_in(db, resource):
    for read in through_database(resource):
        assert content(read) == content(resource)


def race(*parts):
    return {"resourceType": "Patient", "extension": [{"url": f"{US_CORE}-race", "extension": list(parts)}]}


WHITE = {"url": "ombCategory", "valueCoding": {"system": "urn:oid:2.16.840.1.113883.6.238", "code": "2106-3"}}
TEXT = {"url": "text", "valueString": "White"}


def test_race_ethnicity_and_birth_sex_become_columns():
    draft = from_fhir(MAPPING, race(WHITE, TEXT))
    assert draft.record.race == {"omb": [WHITE["valueCoding"]], "text": "White"}
    assert from_fhir(MAPPING, race(TEXT, WHITE)).record.race == draft.record.race


def test_a_race_that_a_form_changed_takes_the_place_of_the_one_sent():
    for sent in (race(WHITE, TEXT), race(TEXT, WHITE)):
        draft = from_fhir(MAPPING, sent)
        draft.record.race = {"text": "Unknown"}
        changed = {"url": f"{US_CORE}-race", "extension": [{"url": "text", "valueString": "Unknown"}]}
        assert to_fhir(MAPPING, draft)["extension"] == [changed]
        draft.record.race = None
        assert "extension" not in to_fhir(MAPPING, draft)


def test_a_marital_status_that_a_form_changed_leaves_no_old_words_behind():
    system = "http://terminology.hl7.org/CodeSystem/v3-MaritalStatus"
    sent = {"coding": [{"system": system, "code": "M", "display": "Married"}], "text": "Married"}
    draft = from_fhir(MAPPING, {"resourceType": "Patient", "maritalStatus": sent})
    assert draft.record.marital_status == "M"
    assert to_fhir(MAPPING, draft)["maritalStatus"] == sent
    draft.record.marital_status = "D"
    assert to_fhir(MAPPING, draft)["maritalStatus"] == {"coding": [{"system": system, "code": "D"}]}


def test_a_language_that_a_form_changed_leaves_no_old_words_behind():
    coding = {"system": "urn:ietf:bcp:47", "code": "es", "display": "Spanish"}
    draft = from_fhir(MAPPING, {"resourceType": "Patient", "communication": [{"language": {"coding": [coding]}}]})
    draft.parts["communications"][0].language_code = "fr"
    coding = {"system": "urn:ietf:bcp:47", "code": "fr"}
    assert to_fhir(MAPPING, draft)["communication"] == [{"language": {"coding": [coding]}}]


@pytest.mark.parametrize(
    ("reference", "logical_id"),
    [
        ("Organization/o1", "o1"),
        ("Organization/o1/_history/3", "o1"),
        ("http://127.0.0.1:8000/fhir/Organization/o1", "o1"),
        ("https://elsewhere.example/fhir/Organization/o1", None),
        ("urn:uuid:0d8a5a8e-2c8e-4a3f-9d5d-3c6a5f5ad6a1", None),
        ("Patient/o1", None),
        ("Organization?identifier=o1", None),
    ],
)
def test_a_reference_to_this_server_is_known_in_every_literal_form(reference, logical_id):
    draft = from_fhir(MAPPING, {"resourceType": "Patient", "managingOrganization": {"reference": reference}})
    assert draft.record.managing_organization_id == logical_id
    assert to_fhir(MAPPING, draft) == {"managingOrganization": {"reference": reference}}


def test_a_reference_that_a_form_changed_takes_its_display_along():
    sent = {"reference": "Organization/o1", "display": "Harbour Clinic"}
    draft = from_fhir(MAPPING, {"resourceType": "Patient", "managingOrganization": sent})
    draft.record.managing_organization_id = "o2"
    assert to_fhir(MAPPING, draft)["managingOrganization"] == {"reference": "Organization/o2"}
    draft.record.managing_organization_id = None
    assert "managingOrganization" not in to_fhir(MAPPING, draft)


def test_a_national_id_is_sealed_wherever_its_type_says_so(db):
    kinds = [
        {"system": "http://hl7.org/fhir/sid/us-ssn", "value": "999-12-3456"},
        {"type": {"coding": [{"code": "X"}, {"code": "PPN"}]}, "value": "999-12-3456"},
    ]
    [version] = store.write(
        PATIENT, [store.Change(store.draft_of(PATIENT, {"resourceType": "Patient", "identifier": kinds}))], SYSTEM
    )
    rows = PATIENT.model.objects.get(logical_id=version.logical_id).identifiers.all()
    assert [(row.value, row.number, row.fingerprint is not None) for row in rows] == [("", "999-12-3456", True)] * 2
