"""US Core profiles, on request or because a resource claims them; vital signs, which R4 itself demands."""

import pytest

from healthrecords.fhir.validation import validate

US_CORE = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-"
NPI = "http://hl7.org/fhir/sid/us-npi"
JANE = {
    "resourceType": "Patient",
    "identifier": [{"system": "urn:oid:1.2.3", "value": "1"}],
    "name": [{"family": "Doe"}],
    "gender": "female",
}
DOSE = {
    "resourceType": "Immunization",
    "status": "completed",
    "vaccineCode": {"coding": [{"system": "http://hl7.org/fhir/sid/cvx", "code": "140"}]},
    "patient": {"reference": "Patient/1"},
    "occurrenceDateTime": "2024-05-17",
    "primarySource": True,
}


def errors(body, profile):
    return [each.path for each in validate(body, profiles=[profile]) if each.severity == "error"]


def without(body, name):
    return {key: value for key, value in body.items() if key != name}


@pytest.mark.parametrize("version", ["3.1.1", "6.1.0", "8.0.0"])
def test_a_patient_meets_us_core_or_is_told_what_it_lacks(version):
    profile = f"{US_CORE}patient|{version}"
    assert errors(JANE, profile) == []
    assert errors(without(JANE, "identifier"), profile) == ["Patient"]
    assert errors(JANE | {"identifier": [{"value": "1"}]}, profile) == ["Patient.identifier[0]"]
    assert errors(JANE | {"name": [{"text": "Jane"}]}, profile) == ["Patient.name[0]"]


def test_a_profile_is_checked_when_the_resource_claims_it():
    claim = {"meta": {"profile": [f"{US_CORE}patient"]}}
    assert [each.path for each in validate(without(JANE, "identifier") | claim)] == ["Patient"]
    assert validate(JANE | claim) == []


def test_a_profile_is_not_checked_unasked():
    assert validate(without(JANE, "identifier")) == []


def test_a_profile_that_is_not_known_is_a_warning():
    issues = validate(JANE | {"meta": {"profile": ["http://example.org/mine"]}})
    assert [(each.severity, each.code) for each in issues] == [("warning", "not-found")]


def test_a_profile_of_another_type_is_a_fault():
    assert errors(JANE, f"{US_CORE}immunization") == ["Patient"]


def test_without_a_version_one_of_the_shipped_versions_is_enough():
    dose = without(DOSE, "primarySource")
    assert errors(dose, f"{US_CORE}immunization|3.1.1") == ["Immunization"]
    assert errors(dose, f"{US_CORE}immunization|8.0.0") == []
    assert errors(dose, f"{US_CORE}immunization") == []


def test_without_a_version_the_newest_one_tells_its_faults():
    issues = validate(without(JANE, "name"), profiles=[f"{US_CORE}patient"])
    assert [each.text for each in issues] == ["US Core Patient Profile 8.0.0 requires the element 'name'."]


def test_an_organization_is_told_a_wrong_npi():
    good = {
        "resourceType": "Organization",
        "active": True,
        "name": "x",
        "identifier": [{"system": NPI, "value": "1234567893"}],
    }
    bad = good | {"identifier": [{"system": NPI, "value": "1234567890"}]}
    other = good | {"identifier": [{"system": "urn:oid:1.2", "value": "x"}]}
    profile = f"{US_CORE}organization|8.0.0"
    assert errors(good, profile) == errors(other, profile) == []
    assert errors(bad, profile) == ["Organization.identifier[0]"]


def test_race_keeps_to_its_definition():
    def race(*parts):
        return JANE | {"extension": [{"url": f"{US_CORE}race", "extension": list(parts)}]}

    text = {"url": "text", "valueString": "x"}
    assert errors(race(text), f"{US_CORE}patient") == []
    assert errors(race({"url": "text", "valueCode": "x"}), f"{US_CORE}patient") == [
        "Patient.extension[0].extension[0].valueCode"
    ]
    assert errors(race({"url": "detailed", "valueCoding": {"code": "x"}}), f"{US_CORE}patient") == [
        "Patient.extension[0]"
    ]


def test_a_reference_goes_where_the_profile_permits():
    body = {
        "resourceType": "Provenance", "target": [{"reference": "Patient/1"}], "recorded": "2024-01-01T00:00:00Z",
        "agent": [{"who": {"reference": "Organization/1"}, "onBehalfOf": {"reference": "Patient/1"}}],
    }  # fmt: skip
    assert errors(body, f"{US_CORE}provenance") == ["Provenance.agent[0].onBehalfOf"]


def test_a_document_reference_has_a_category_of_the_required_list():
    body = {
        "resourceType": "DocumentReference", "status": "current", "type": {"text": "x"},
        "subject": {"reference": "Patient/1"},
        "category": [{"coding": [{"system": "http://hl7.org/fhir/us/core/CodeSystem/us-core-documentreference-category",
                                  "code": "clinical-note"}]}],
        "content": [{"attachment": {"contentType": "text/plain", "data": "aGk="}}],
    }  # fmt: skip
    assert errors(body, f"{US_CORE}documentreference|3.1.1") == []
    assert errors(without(body, "category"), f"{US_CORE}documentreference|3.1.1") == ["DocumentReference"]


PULSE = {
    "resourceType": "Observation",
    "status": "final",
    "category": [
        {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "vital-signs"}]}
    ],
    "code": {"coding": [{"system": "http://loinc.org", "code": "8867-4"}]},
    "subject": {"reference": "Patient/1"},
    "effectiveDateTime": "2024-05-17",
    "valueQuantity": {"value": 61, "unit": "/min", "system": "http://unitsofmeasure.org", "code": "/min"},
}


def test_a_vital_sign_meets_its_profile_unasked():
    assert validate(PULSE) == []
    assert [each.path for each in validate(without(PULSE, "category"))] == ["Observation"]
    wrong = PULSE | {"valueQuantity": PULSE["valueQuantity"] | {"code": "1/min"}}
    assert [each.path for each in validate(wrong)] == ["Observation.valueQuantity.code"]
    assert [each.path for each in validate(PULSE | {"effectiveDateTime": "2024"})] == ["Observation.effectiveDateTime"]


def test_a_malformed_element_is_told_by_its_structure_alone():
    assert errors(JANE | {"name": [False]}, f"{US_CORE}patient") == ["Patient.name[0]"]
