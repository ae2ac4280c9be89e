"""The validator agrees with cases that others labelled; `manage.py fhir score` measures the whole sets."""

import gzip
import json
from pathlib import Path

import pytest

from healthrecords.fhir.validation import primitives, score, validate
from healthrecords.jsontext import BadJSON, parse_json

CASES = Path(__file__).with_name("cases")
# What HL7's own validator says of these needs a signature check, or options that it was run with.
BEYOND = {"pat-security-bad-string", "pat-dob-ext", "pat-example-extensions", "signatures-example-2"}
VECTOR_TYPES = {
    "base64_binary": "base64Binary",
    "date_time": "dateTime",
    "positive_int": "positiveInt",
    "unsigned_int": "unsignedInt",
}


def judged(name):
    return score.score(score.cases_in(CASES / name))


def test_no_example_of_hl7_is_refused():
    found = judged("examples.ndjson.gz")
    assert found.total.valid == 66
    assert found.wrong == []


def test_harmless_changes_pass_and_broken_resources_are_refused():
    found = judged("mutants.jsonl.gz")
    assert (found.total.valid, found.total.invalid) == (219, 677)
    assert found.wrong == []


def test_the_place_of_the_fault_is_named():
    total = judged("mutants.jsonl.gz").total
    assert total.located >= 0.97 * total.invalid


def test_hl7s_own_validator_agrees():
    found = judged("java.jsonl.gz")
    assert found.total.valid == found.total.passed == 60
    assert {each.partition(" ")[0] for each in found.wrong} == BEYOND


@pytest.mark.parametrize("vector", json.loads((CASES / "primitives.json").read_text()), ids=str)
def test_a_literal_of_a_primitive_type_is_judged_as_labelled(vector):
    check = primitives.CHECKS[VECTOR_TYPES.get(vector["type"], vector["type"])]
    try:
        value = parse_json(vector["json"])
    except BadJSON:
        assert not vector["valid"]
        return
    assert (check(value) is None) == vector["valid"]


def test_a_synthetic_patient_has_warnings_only():
    issues = validate(parse_json((CASES / "synthea-patient.json").read_bytes()))
    assert {each.severity for each in issues} == {"warning"}
    assert {each.code for each in issues} == {"extension"}


def test_faults_come_in_the_order_of_the_document_and_none_twice():
    with gzip.open(CASES / "mutants.jsonl.gz") as lines:
        bodies = [json.loads(line)["resource"] for line in lines]
    for body in bodies[::7]:
        issues = validate(body)
        assert len(issues) == len(set(issues))
        assert issues == validate(json.loads(json.dumps(body)))
