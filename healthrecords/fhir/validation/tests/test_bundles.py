"""What R4 says of Bundles and CapabilityStatements beyond their invariants."""

import pytest

from healthrecords.fhir.validation import validate

URN = "urn:uuid:c757873d-ec9a-4326-a141-556f43239520"
OTHER = "urn:uuid:d757873d-ec9a-4326-a141-556f43239520"
JANE = {"resourceType": "Patient", "id": "1", "name": [{"family": "Doe"}]}


def bundle(kind, *entries, **elements):
    return {"resourceType": "Bundle", "type": kind, "entry": list(entries), **elements}


def errors(body):
    return [each.path for each in validate(body) if each.severity == "error"]


@pytest.mark.parametrize("url", ["http://ehr.example/fhir/Patient/1", URN, "http://ehr.example/anything"])
def test_a_full_url_that_agrees_with_its_resource_passes(url):
    assert errors(bundle("collection", {"fullUrl": url, "resource": JANE})) == []


@pytest.mark.parametrize("url", ["Patient/1", "/Patient/1", "http://ehr.example/fhir/Patient/2", "http://e.x/Group/1"])
def test_a_full_url_that_is_relative_or_names_another_resource_is_refused(url):
    assert errors(bundle("collection", {"fullUrl": url, "resource": JANE})) == ["Bundle.entry[0]"]


def test_resources_in_a_bundle_are_checked_at_their_place():
    body = bundle("collection", {"fullUrl": URN, "resource": JANE | {"active": "yes"}})
    assert errors(body) == ["Bundle.entry[0].resource.active"]


def test_a_reference_in_a_bundle_is_told_by_the_entry_that_it_names():
    clinic = {"fullUrl": URN, "resource": {"resourceType": "Location", "name": "x"}}
    patient = {"fullUrl": OTHER, "resource": JANE | {"managingOrganization": {"reference": URN}}}
    assert errors(bundle("collection", clinic, patient)) == ["Bundle.entry[1].resource.managingOrganization"]


def test_a_link_relation_stands_once():
    link = {"relation": "self", "url": "http://ehr.example/fhir/Patient"}
    assert errors(bundle("searchset", {"fullUrl": URN, "resource": JANE}, link=[link, link])) == ["Bundle.link[1]"]


def test_what_a_search_found_has_an_id_and_an_outcome_is_an_outcome():
    found = {"resource": {"resourceType": "Patient", "active": True}, "search": {"mode": "match"}}
    outcome = {"resource": JANE, "search": {"mode": "outcome"}}
    assert errors(bundle("searchset", found, outcome)) == ["Bundle.entry[0].resource", "Bundle.entry[1].resource"]


def document(subject, *entries):
    composition = {
        "resourceType": "Composition", "id": "c", "status": "final", "type": {"text": "x"}, "date": "2024",
        "title": "x",         "author": [{"display": "x"}], "subject": {"reference": subject},
    }  # fmt: skip
    first = {"fullUrl": "http://ehr.example/fhir/Composition/c", "resource": composition}
    named = {"identifier": {"system": "urn:oid:1.2", "value": "1"}, "timestamp": "2024-01-01T00:00:00Z"}
    return bundle("document", first, *entries, **named)


HELD = {"fullUrl": "http://ehr.example/fhir/Patient/1", "resource": JANE}


def test_a_document_holds_what_its_composition_names():
    assert errors(document("Patient/1", HELD)) == []
    assert errors(document("http://ehr.example/fhir/Patient/1", HELD)) == []


def test_a_document_that_lacks_its_subject_is_refused():
    assert errors(document("Patient/2", HELD)) == ["Bundle.entry[0].resource.subject"]
    assert errors(document(URN, HELD)) == ["Bundle.entry[0].resource.subject"]


def test_a_document_that_holds_its_subject_in_two_versions_is_ambiguous():
    versions = [HELD | {"resource": JANE | {"meta": {"versionId": each}}} for each in "12"]
    assert errors(document("Patient/1", *versions)) == ["Bundle.entry[0].resource.subject"]
    assert errors(document("Patient/1/_history/2", *versions)) == []


def capabilities(kind):
    parameter = {
        "name": "birthdate",
        "definition": "http://hl7.org/fhir/SearchParameter/individual-birthdate",
        "type": kind,
    }
    return {
        "resourceType": "CapabilityStatement", "status": "active", "date": "2024", "kind": "instance",
        "description": "x",         "implementation": {"description": "x"}, "fhirVersion": "4.0.1", "format": ["json"],
        "rest": [{"mode": "server", "resource": [{"type": "Patient", "searchParam": [parameter]}]}],
    }  # fmt: skip


def test_a_search_parameter_has_the_type_of_its_definition():
    assert errors(capabilities("date")) == []
    assert errors(capabilities("token")) == ["CapabilityStatement.rest[0].resource[0].searchParam[0]"]
