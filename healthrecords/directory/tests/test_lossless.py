"""Organizations, practitioners and locations come out as they went in."""

import gzip
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from healthrecords.access.request import SYSTEM
from healthrecords.fhir import store
from healthrecords.fhir.acceptance import validate
from healthrecords.fhir.mapping import from_fhir, load, to_fhir
from healthrecords.fhir.resource import registry
from healthrecords.fhir.tests.lossless import locations, organizations, practitioners, same
from healthrecords.importing.demo import FILE as DEMO
from healthrecords.jsontext import parse_json

EXAMPLES = Path(__file__).parents[2] / "fhir/tests/data/hl7-r4-examples.ndjson"
SLOW = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large]
DIRECTORY = ("Organization", "Practitioner", "Location")


def samples():
    found = [
        parse_json(line)
        for line in [*gzip.decompress(DEMO.read_bytes()).splitlines(), *EXAMPLES.read_bytes().splitlines()]
    ]
    return [each for each in found if each["resourceType"] in DIRECTORY]


def content(resource):
    return same({name: value for name, value in resource.items() if name not in ("id", "resourceType")})


def through_database(resource):
    declared = registry()[resource["resourceType"]]
    [version] = store.write(declared, [store.Change(store.draft_of(declared, resource))], SYSTEM)
    row = declared.model.objects.get(logical_id=version.logical_id)
    return to_fhir(declared.mapping, load(declared.mapping, row))


@pytest.mark.parametrize("sample", samples(), ids=lambda sample: sample["id"])
def test_a_sample_comes_out_of_the_database_as_it_went_in(db, sample):
    assert list(validate(registry()[sample["resourceType"]], sample)) == []
    assert content(through_database(sample)) == content(sample)


@settings(max_examples=100, deadline=None, suppress_health_check=SLOW)
@given(resource=organizations() | practitioners() | locations())
def test_any_entry_comes_out_of_the_columns_as_it_went_in(resource):
    mapping = registry()[resource["resourceType"]].mapping
    assert content(to_fhir(mapping, from_fhir(mapping, resource))) == content(resource)


@settings(max_examples=25, deadline=None, suppress_health_check=SLOW)
@given(resource=organizations() | practitioners() | locations())
def test_any_entry_comes_out_of_the_database_as_it_went_in(db, resource):
    assert content(through_database(resource)) == content(resource)


def test_a_practitioner_is_shown_by_the_first_name_with_any_text(integrator):
    names = [{"use": "old"}, {"family": "Okafor", "given": ["Ada"]}]
    made = integrator.create({"resourceType": "Practitioner", "name": names})
    row = registry()["Practitioner"].model.objects.get(logical_id=made["id"])
    assert (str(row), row.name_key) == ("Ada Okafor", "|ada okafor|")


CLINIC = {
    "resourceType": "Organization",
    "identifier": [{"system": "urn:example:site", "value": "S-1"}],
    "active": True,
    "name": "Harbour Clinic",
    "alias": ["Old Pier Surgery"],
    "address": [{"city": "Salem"}],
    "partOf": {"reference": "Organization/group"},
}
DOCTOR = {
    "resourceType": "Practitioner",
    "identifier": [{"system": "http://hl7.org/fhir/sid/us-npi", "value": "1234567893"}],
    "active": True,
    "name": [{"family": "Okafor", "given": ["Ada"]}],
    "telecom": [{"system": "phone", "value": "555 0100 200"}, {"system": "email", "value": "Ada@Example.org"}],
}
WARD = {
    "resourceType": "Location",
    "identifier": [{"value": "W-7"}],
    "status": "active",
    "name": "Ward 7",
    "alias": ["Maternity"],
    "address": {"city": "Salem", "state": "MA"},
    "managingOrganization": {"reference": "Organization/clinic"},
    "partOf": {"reference": "Location/hospital"},
}
FINDS = {
    "Organization": (CLINIC, ["identifier=S-1", "name=harb", "name=old pier", "name:contains=linic", "address=salem",
                              "address-city=salem", "active=true", "partof=Organization/group", "partof=group"]),
    "Practitioner": (DOCTOR, ["identifier=1234567893", "name=oka", "family=okafor", "given=ada", "active=true",
                              "phone=5550100200", "telecom=555-0100-200", "email=ada@example.org"]),
    "Location": (WARD, ["identifier=W-7", "name=ward", "name=mater", "status=active", "address-state=ma",
                        "organization=Organization/clinic", "partof=Location/hospital", "organization=clinic"]),
}  # fmt: skip


@pytest.mark.parametrize("kind", DIRECTORY)
def test_each_search_finds_the_entry_that_it_describes_and_no_other(integrator, kind):
    body, searches = FINDS[kind]
    made = integrator.create(body)
    integrator.create({"resourceType": kind, "language": "en"} | ({"name": "Q"} if kind == "Organization" else {}))
    for terms in searches:
        found = integrator.get(f"{kind}?{terms}").json().get("entry", [])
        assert [entry["resource"]["id"] for entry in found] == [made["id"]], terms
