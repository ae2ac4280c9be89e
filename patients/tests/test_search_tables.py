"""Search against published tables: which values a query finds (data/README.md)."""

import json
from pathlib import Path
from urllib.parse import parse_qsl

import pytest

from healthrecords.access.request import SYSTEM, AccessRequest
from healthrecords.fhir import store
from healthrecords.fhir.primitives import span
from healthrecords.fhir.search import query
from healthrecords.fhir.search.dates import range_condition, search_span
from patients.fhir.patient import PATIENT
from patients.models import Patient

DATA = Path(__file__).parent / "data"
DATES, STRINGS, REFERENCES = (
    json.loads((DATA / f"{name}.json").read_text()) for name in ("date", "string", "reference")
)


# That server counts in ticks of 100 ns, to which `15.500` is one tick; here it is a millisecond, as its digits say, and
# PostgreSQL counts in microseconds.
TICKS = {
    "date=lt1980-05-11T16:32:15.5000001",
    "date=gt1980-05-11T16:32:15.5000001",
    "date=le1980-05-11T16:32:15.5000000",
    "date=le1981-01-01T00:00:00.0000001",
    "date=eb1980-05-11T16:32:15.5000001",
}
DATED = [row for row in DATES["rows"] if row["query"] not in TICKS]


def bounds(value):
    first, last = value if isinstance(value, list) else (value, value)
    zoned = [f"{each}Z" if "T" in each else each for each in (first, last)]
    return span(zoned[0])[0], span(zoned[1])[1]


@pytest.fixture
def dated(db):
    rows = [
        Patient(logical_id=str(n), birth_from=low, birth_until=high)
        for n, (low, high) in enumerate(map(bounds, DATES["values"]))
    ]
    Patient.objects.bulk_create(rows)


def found(condition):
    return sorted(int(text) for text in Patient.objects.filter(condition).values_list("logical_id", flat=True))


@pytest.mark.parametrize("row", DATED, ids=lambda row: row["query"])
def test_a_date_finds_what_the_specification_says(dated, row):
    value = row["query"].partition("=")[2]
    assert found(range_condition(*search_span(value), "birth_from", "birth_until")) == row["spec"]


def write(resources):
    changes = [
        store.Change(store.draft_of(PATIENT, {"resourceType": "Patient", **body}, str(n)))
        for n, body in enumerate(resources)
    ]
    store.write(PATIENT, changes, SYSTEM)


def search(terms):
    wanted = query.parse(PATIENT, parse_qsl(terms), AccessRequest(SYSTEM, "search", "Patient"))
    return sorted(int(text) for text in wanted.narrow(Patient.objects.all()).values_list("logical_id", flat=True))


@pytest.mark.parametrize(("terms", "expected"), STRINGS["rows"])
def test_a_name_or_a_city_finds_what_the_table_says(db, terms, expected):
    write(
        {"name": [{"family": family, **({"given": [given]} if given else {})}], "address": [{"city": city}]}
        for city, family, given in STRINGS["patients"]
    )
    assert search(terms) == expected


@pytest.mark.parametrize(("terms", "expected"), REFERENCES["rows"])
def test_a_reference_finds_what_the_table_says(db, terms, expected):
    write(
        {"managingOrganization": {"reference": body["managingOrganization"]}}
        if "managingOrganization" in body
        else {"generalPractitioner": [{"reference": body["generalPractitioner"]}]}
        for body in REFERENCES["resources"]
    )
    assert search(terms) == expected


def test_a_reference_in_any_form_that_means_this_server_is_found_and_no_other(db):
    forms = ["Organization/o", "Organization/o/_history/2", "http://127.0.0.1:8000/fhir/Organization/o"]
    write(
        {"managingOrganization": {"reference": text}} for text in [*forms, "http://other.example/fhir/Organization/o"]
    )
    for terms in ("o", "Organization/o", "http://127.0.0.1:8000/fhir/Organization/o"):
        assert search(f"organization={terms}") == [0, 1, 2]
    assert search("organization=http://other.example/fhir/Organization/o") == []
    assert search("general-practitioner:missing=true") == [0, 1, 2, 3]


def test_a_practice_role_is_found_as_general_practitioner(db):
    write([{"generalPractitioner": [{"reference": "PractitionerRole/r"}]}, {"active": True}])
    assert search("general-practitioner=PractitionerRole/r") == [0]
    assert search("general-practitioner:missing=false") == [0]


def test_an_address_with_digits_is_not_taken_for_a_phone_number(db):
    write(
        [{"telecom": [{"system": "phone", "value": "12345"}]}, {"telecom": [{"system": "email", "value": "a12345@b"}]}]
    )
    assert search("telecom=a12345@b") == [1]
    assert search("telecom=123-45") == [0]
    assert search("phone=a12345@b") == []
