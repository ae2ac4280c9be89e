"""Every search parameter of Immunization finds what it names, and nothing else."""

import pytest

from immunizations.fhir.immunization import SEARCH
from immunizations.tests.samples import SID, SNOMED, TERMINOLOGY, given

FOUND = [
    "date=2024-05",
    "date=ge2024-05-01",
    "date=lt2024-06",
    "identifier=IIS-7",
    "identifier=urn:example:iis|IIS-7",
    "location=Location/l1",
    "location=l1",
    "lot-number=ab-12",
    "lot-number:contains=12 X",
    "lot-number:exact=AB-12 x",
    "manufacturer=Organization/o1",
    "patient=Patient/p1",
    "patient:Patient=p1",
    "performer=Practitioner/n1",
    "performer:Organization=o2",
    "reaction=Observation/r1",
    "reaction=r1",
    "reaction-date=2024-05-19",
    "reaction-date=gt2024-05-18",
    "reason-code=429060002",
    f"reason-code={SNOMED}|429060002",
    "reason-code:missing=false",
    "reason-reference=Condition/c1",
    "reason-reference=c1",
    "reason-reference:Condition=c1",
    "series=childhood hep",
    "series:exact=Childhood Hép B",
    "status=completed",
    "status=http://hl7.org/fhir/event-status|completed",
    "status-reason=IMMUNE",
    f"status-reason={TERMINOLOGY}/v3-ActReason|",
    "target-disease=66071002",
    "target-disease:not=1",
    "vaccine-code=08",
    f"vaccine-code={SID}/cvx|08",
    f"vaccine-code={SID}/ndc|58160-0820-52",
    "vaccine-code=999,08",
]
MISSED = [
    "date=2024-05-17",
    "date=gt2024-05",
    "identifier=IIS-8",
    "location=l2",
    "lot-number=12",
    "lot-number:exact=ab-12 x",
    "manufacturer=o2",
    "patient=p2",
    "performer=Practitioner/o2",
    "reaction=Observation/r2",
    "reaction:missing=true",
    "reaction-date=2024-05-18",
    "reason-code=429060003",
    "reason-code=http://example.org|429060002",
    "reason-code:missing=true",
    "reason-reference=Observation/c1",
    "reason-reference:Observation=c1",
    "series=hep",
    "status=not-done",
    "status-reason=|IMMUNE",
    "target-disease=66071003",
    "target-disease:not=66071002",
    f"vaccine-code={SID}/ndc|08",
    f"vaccine-code={SID}/mvx|",
    "vaccine-code=0",
]


def hits(caller, terms):
    answer = caller.get(f"Immunization?{terms}")
    assert answer.status_code == 200, answer.content
    return [entry["resource"]["id"] for entry in answer.json().get("entry", [])]


@pytest.fixture
def dose(integrator):
    return integrator.create(given())


@pytest.mark.parametrize("terms", FOUND)
def test_a_search_finds_it(integrator, dose, terms):
    assert hits(integrator, terms) == [dose["id"]]


@pytest.mark.parametrize("terms", MISSED)
def test_a_search_for_something_else_does_not(integrator, dose, terms):
    assert hits(integrator, terms) == []


def test_every_parameter_is_tried_both_ways():
    for tried in (FOUND, MISSED):
        assert {terms.partition("=")[0].partition(":")[0] for terms in tried} == {each.name for each in SEARCH}


def test_a_changed_dose_is_found_by_its_new_codes_alone(integrator, dose):
    changed = {**dose, "vaccineCode": {"coding": [{"system": f"{SID}/cvx", "code": "43"}]}}
    assert integrator.put(f"Immunization/{dose['id']}", changed).status_code == 200
    assert hits(integrator, "vaccine-code=43") == [dose["id"]]
    assert hits(integrator, "vaccine-code=08") == []


@pytest.mark.parametrize(
    ("sort", "order"),
    [("date", "acb"), ("-date", "bca"), ("vaccine-code", "bac"), ("status", "abc"), ("-status", "cba")],
)
def test_a_list_is_sorted(integrator, sort, order):
    cvx = {
        name: {"coding": [{"system": f"{SID}/cvx", "code": code}]}
        for name, code in (("a", "08"), ("b", "03"), ("c", "62"))
    }
    sent = {
        "a": given(occurrenceDateTime="2020", vaccineCode=cvx["a"]),
        "b": given(occurrenceDateTime="2024-01-02", vaccineCode=cvx["b"]),
        "c": given(occurrenceDateTime="2021", vaccineCode=cvx["c"], status="not-done"),
    }
    named = {integrator.create(body)["id"]: name for name, body in sent.items()}
    assert [named[each] for each in hits(integrator, f"_sort={sort}")] == [*order]
