"""An immunization comes out as it went in: generated ones, and HL7's examples."""

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
from immunizations.fhir.immunization import IMMUNIZATION, MAPPING
from immunizations.tests.lossless import immunizations

EXAMPLES = [
    parse_json(line) for line in (Path(__file__).parent / "data/hl7-r4-examples.ndjson").read_bytes().splitlines()
]
SLOW = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large]


def content(resource):
    return same({name: value for name, value in resource.items() if name not in ("id", "resourceType")})


def through_columns(resource):
    return to_fhir(MAPPING, from_fhir(MAPPING, resource))


def through_database(resource):
    with transaction.atomic():
        [version] = store.write(IMMUNIZATION, [store.Change(store.draft_of(IMMUNIZATION, resource))], SYSTEM)
    return to_fhir(MAPPING, load(MAPPING, IMMUNIZATION.model.objects.get(logical_id=version.logical_id)))


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example["id"])
def test_an_example_comes_out_of_the_database_as_it_went_in(db, example):
    assert list(validate(IMMUNIZATION, example)) == []
    assert content(through_database(example)) == content(example)


@settings(max_examples=300, deadline=None, suppress_health_check=SLOW)
@given(resource=immunizations())
def test_any_immunization_comes_out_of_the_columns_as_it_went_in(resource):
    assert content(through_columns(resource)) == content(resource)


@settings(max_examples=60, deadline=None, suppress_health_check=SLOW)
@given(resource=immunizations())
def test_any_immunization_comes_out_of_the_database_as_it_went_in(db, resource):
    assert content(through_database(resource)) == content(resource)


SID = "http://hl7.org/fhir/sid"
DRAWN_UP = {
    "resourceType": "Immunization",
    "status": "completed",
    "vaccineCode": {
        "coding": [
            {"system": f"{SID}/ndc", "code": "58160-0815-52"},
            {"system": f"{SID}/cvx", "code": "08", "display": "Hep B"},
        ],
        "text": "Engerix-B",
    },
    "patient": {"reference": "Patient/p1"},
    "occurrenceDateTime": "2024-05-17T10:00:00-04:00",
    "manufacturer": {"identifier": {"system": f"{SID}/mvx", "value": "SKB"}, "display": "GlaxoSmithKline"},
    "lotNumber": "A1",
    "expirationDate": "2025-02",
    "doseQuantity": {"value": 0.5, "unit": "mL", "code": "mL", "system": "http://unitsofmeasure.org"},
    "site": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActSite", "code": "LA"}]},
    "performer": [{"actor": {"reference": "PractitionerRole/r1"}}],
    "protocolApplied": [{"series": "Hep B, 3 doses", "doseNumberPositiveInt": 2, "seriesDosesString": "3"}],
}


def drawn_up():
    return parse_json(store.dump_json(DRAWN_UP))


def test_what_screens_and_stock_need_becomes_columns():
    draft = from_fhir(MAPPING, drawn_up())
    row = draft.record
    assert (row.cvx, row.ndc, row.mvx, row.vaccine_text) == ("08", "58160-0815-52", "SKB", "Engerix-B")
    assert (row.patient_id, row.lot_number, row.expires, row.site) == ("p1", "A1", "2025-02", "LA")
    assert (row.dose, row.dose_unit, row.dose_unit_code) == ("0.5", "mL", "mL")
    assert draft.parts["performers"][0].practitioner_role_id == "r1"
    assert (draft.parts["protocols"][0].dose_number, draft.parts["protocols"][0].series_doses_text) == (2, "3")


def test_a_vaccine_that_a_form_changed_leaves_no_codes_of_the_old_one_behind():
    draft = from_fhir(MAPPING, drawn_up())
    draft.record.vaccine_codes = ("43", "")
    draft.record.vaccine_text = "Hep B, adult"
    assert to_fhir(MAPPING, draft)["vaccineCode"] == {
        "coding": [{"system": f"{SID}/cvx", "code": "43"}],
        "text": "Hep B, adult",
    }


@pytest.mark.parametrize("digits", ["0.5", "0.50", "5", "1E+2", "-0.000", "0.000000000000000000001"])
def test_the_digits_of_a_dose_are_kept(db, digits):
    sent = parse_json(
        store.dump_json({**DRAWN_UP, "doseQuantity": {}}).replace(b"{}", b'{"value":%s}' % digits.encode())
    )
    assert content(through_database(sent)) == content(sent)
