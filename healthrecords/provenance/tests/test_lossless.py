"""Provenance comes out as it went in: generated ones, and HL7's examples."""

from pathlib import Path

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings

from healthrecords.access.request import SYSTEM
from healthrecords.fhir import store
from healthrecords.fhir.acceptance import validate
from healthrecords.fhir.mapping import from_fhir, load, to_fhir
from healthrecords.fhir.tests.lossless import same
from healthrecords.jsontext import parse_json
from healthrecords.provenance.fhir import MAPPING, PROVENANCE
from healthrecords.provenance.tests.lossless import provenances

EXAMPLES = [
    parse_json(line) for line in (Path(__file__).parent / "data/hl7-r4-examples.ndjson").read_bytes().splitlines()
]
SLOW = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large]


def content(resource):
    return same({name: value for name, value in resource.items() if name not in ("id", "resourceType")})


def through_database(resource):
    with transaction.atomic():
        [version] = store.write(PROVENANCE, [store.Change(store.draft_of(PROVENANCE, resource))], SYSTEM)
    return to_fhir(MAPPING, load(MAPPING, PROVENANCE.model.objects.get(logical_id=version.logical_id)))


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example["id"])
def test_an_example_comes_out_of_the_database_as_it_went_in(db, example):
    assert list(validate(PROVENANCE, example)) == []
    assert content(through_database(example)) == content(example)


@settings(max_examples=200, deadline=None, suppress_health_check=SLOW)
@given(resource=provenances())
def test_any_provenance_comes_out_of_the_columns_as_it_went_in(resource):
    assert content(to_fhir(MAPPING, from_fhir(MAPPING, resource))) == content(resource)


@settings(max_examples=50, deadline=None, suppress_health_check=SLOW)
@given(resource=provenances())
def test_any_provenance_comes_out_of_the_database_as_it_went_in(db, resource):
    assert content(through_database(resource)) == content(resource)
