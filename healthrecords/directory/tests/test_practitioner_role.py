"""PractitionerRole: comes out as it went in, is found by every parameter, and is no disclosure."""

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from healthrecords.access.request import SYSTEM
from healthrecords.directory.fhir.practitioner_role import MAPPING, PRACTITIONER_ROLE, SEARCH
from healthrecords.fhir import store
from healthrecords.fhir.mapping import from_fhir, load, to_fhir
from healthrecords.fhir.tests.lossless import (
    codes,
    concepts,
    everywhere,
    extensible,
    listed,
    periods,
    reference,
    same,
    some,
    words,
)  # fmt: skip

SLOW = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large]
NUCC = "http://nucc.org/provider-taxonomy"
ROLE = {
    "resourceType": "PractitionerRole",
    "identifier": [{"system": "urn:example:hr", "value": "R-1"}],
    "active": True,
    "period": {"start": "2020-01", "end": "2022"},
    "practitioner": {"reference": "Practitioner/d1", "display": "Dr. Ankunding"},
    "organization": {"reference": "Organization/o1"},
    "code": [{"coding": [{"system": NUCC, "code": "208D00000X"}, {"system": "urn:example:roles", "code": "gp"}]}],
    "specialty": [{"coding": [{"system": NUCC, "code": "207Q00000X"}], "text": "Family medicine"}],
    "location": [{"reference": "Location/l1"}, {"display": "Main Street"}],
    "healthcareService": [{"reference": "HealthcareService/s1"}],
    "telecom": [{"system": "phone", "value": "(620) 876-5863"}, {"system": "email", "value": "Dan@example.com"}],
    "endpoint": [{"reference": "Endpoint/e1"}],
}
FOUND = [
    "identifier=urn:example:hr|R-1", "active=true", "date=ge2021", "date=lt2020-02", "endpoint=Endpoint/e1",
    "location=l1", "organization=Organization/o1", "practitioner=Practitioner/d1", "role=208D00000X", "role=gp",
    f"role={NUCC}|208D00000X", "service=HealthcareService/s1", "service=s1", f"specialty={NUCC}|", "telecom=6208765863",
    "phone=620 876 5863", "email=dan@example.com",
]  # fmt: skip
MISSED = [
    "identifier=R-2", "active=false", "date=gt2023", "endpoint=s1", "location=Location/l2", "organization=o2",
    "practitioner=o1", "role=207Q00000X", "service=e1", "specialty=gp", "telecom=6208765864", "phone=dan@example.com",
    "email=6208765863",
]  # fmt: skip

roles = some(
    **everywhere,
    active=st.booleans(),
    period=periods,
    practitioner=reference("Practitioner"),
    organization=reference("Organization"),
    code=listed(concepts),
    specialty=listed(concepts),
    location=listed(reference("Location")),
    healthcareService=listed(reference("HealthcareService")),
    endpoint=listed(reference("Endpoint")),
    availableTime=listed(some(daysOfWeek=listed(codes), allDay=st.booleans(), _allDay=extensible)),
    availabilityExceptions=words,
).map(lambda made: {"resourceType": "PractitionerRole", **made})


def content(resource):
    return same({name: value for name, value in resource.items() if name not in ("id", "resourceType")})


@settings(max_examples=150, deadline=None, suppress_health_check=SLOW)
@given(resource=roles)
def test_any_role_comes_out_of_the_columns_as_it_went_in(resource):
    assert content(to_fhir(MAPPING, from_fhir(MAPPING, resource))) == content(resource)


@settings(max_examples=40, deadline=None, suppress_health_check=SLOW)
@given(resource=roles)
def test_any_role_comes_out_of_the_database_as_it_went_in(db, resource):
    with transaction.atomic():
        [version] = store.write(PRACTITIONER_ROLE, [store.Change(store.draft_of(PRACTITIONER_ROLE, resource))], SYSTEM)
    row = PRACTITIONER_ROLE.model.objects.get(logical_id=version.logical_id)
    assert content(to_fhir(MAPPING, load(MAPPING, row))) == content(resource)


@pytest.fixture
def role(integrator):
    return integrator.create(ROLE)


def hits(caller, terms):
    answer = caller.get(f"PractitionerRole?{terms}")
    assert answer.status_code == 200, answer.content
    return [entry["resource"]["id"] for entry in answer.json().get("entry", [])]


@pytest.mark.parametrize("terms", FOUND)
def test_a_search_finds_it(integrator, role, terms):
    assert hits(integrator, terms) == [role["id"]]


@pytest.mark.parametrize("terms", MISSED)
def test_a_search_for_something_else_does_not(integrator, role, terms):
    assert hits(integrator, terms) == []


def test_every_parameter_is_tried_both_ways():
    for tried in (FOUND, MISSED):
        assert {terms.partition("=")[0] for terms in tried} == {each.name for each in SEARCH}


def test_a_look_at_a_role_leaves_no_row_and_a_change_leaves_one(integrator, role, trail):
    integrator.get(f"PractitionerRole/{role['id']}")
    hits(integrator, "role=gp")
    assert [(row.action, row.patient) for row in trail()] == [("create", None)]


def test_lists_show_what_the_practitioner_does(integrator, role):
    assert str(PRACTITIONER_ROLE.model.objects.get()) == "208D00000X"
    integrator.put(f"PractitionerRole/{role['id']}", {**role, "code": [{"text": "House doctor"}]})
    assert str(PRACTITIONER_ROLE.model.objects.get()) == "House doctor"
