"""AuditEvent at the API: who may read it, what it says, and that reading it is itself recorded."""

import base64
from urllib.parse import urlencode

import pytest
from django.test import Client

from compliance.audit_event import codes, rendering
from compliance.phi_access.models import AccessEvent
from healthrecords.fhir.validation import validate

READERS = ("compliance-officer", "security-officer", "auditor")


@pytest.fixture
def auditor(caller_with_role):
    return caller_with_role("auditor")


@pytest.fixture
def looked(integrator, clinician):
    """A patient whom a clinician has read and found by name."""
    patient = integrator.create()["id"]
    clinician.get(f"Patient/{patient}")
    clinician.get("Patient?family=jansen")
    return patient


def found(caller, **terms):
    answer = caller.get(f"AuditEvent?{urlencode(terms)}")
    assert answer.status_code == 200, answer.content
    return [entry["resource"] for entry in answer.json().get("entry", [])]


@pytest.mark.parametrize("role", READERS)
def test_officers_and_auditors_read_the_trail_by_role_alone(caller_with_role, looked, role):
    assert found(caller_with_role(role), patient=looked)


@pytest.mark.parametrize("role", ["clinician", "front-desk", "integrator", "operator", "administrator"])
def test_nobody_else_does(caller_with_role, looked, role, trail):
    caller = caller_with_role(role)
    [event] = trail(action="read")
    for address in ("AuditEvent", f"AuditEvent?patient={looked}", f"AuditEvent/{event.pk}"):
        assert caller.get(address).status_code == 403


def test_a_read_has_the_shape_of_balp(auditor, looked):
    [event] = found(auditor, patient=looked, subtype="read")
    assert event["meta"]["profile"] == [f"{rendering.PROFILE}PatientRead"]
    assert (event["type"]["code"], event["action"], event["outcome"]) == ("rest", "R", "0")
    client, server = event["agent"]
    assert [agent["type"]["coding"][0]["code"] for agent in (client, server)] == ["110152", "110153"]
    assert (client["name"], client["requestor"], client["role"]) == ("clinician token", True, [{"text": "clinician"}])
    assert client["purposeOfUse"][0]["coding"][0]["code"] == "TREAT"
    assert client["network"] == {"address": "127.0.0.1", "type": "2"}
    patient, data, request = event["entity"]
    assert patient["what"]["reference"] == f"Patient/{looked}"
    assert data["what"]["reference"] == f"Patient/{looked}/_history/1"
    assert request["type"]["code"] == "XrequestId"


def test_a_query_carries_its_text_in_base64(auditor, looked):
    [event] = found(auditor, patient=looked, subtype="search")
    [query] = [entity for entity in event["entity"] if "query" in entity]
    assert base64.b64decode(query["query"]) == b"family=jansen"
    assert event["meta"]["profile"] == [f"{rendering.PROFILE}PatientQuery"]


def test_a_person_a_browser_and_the_server_are_the_agents_of_a_look_in_the_admin(auditor, looked, signed_in):
    signed_in("clinician").get("/admin/patients/patient/?q=jansen")
    [event] = found(auditor, **{"agent-name:exact": "clinician", "patient": looked})
    person, browser, _server = event["agent"]
    assert (person["name"], person["requestor"], browser["requestor"]) == ("clinician", True, False)
    assert "network" in browser
    assert "network" not in person


def test_a_denial_is_of_the_kind_that_was_asked_for(auditor, operator, looked):
    operator.get(f"Patient/{looked}")
    [event] = found(auditor, outcome="4", patient=looked)
    assert (event["action"], event["subtype"][0]["code"], event["outcome"]) == ("R", "read", "4")
    assert event["outcomeDesc"] == "denied: read: forbidden"
    assert "profile" not in event["meta"]


def test_every_event_of_the_trail_is_valid(auditor, looked, signed_in, operator, client):
    operator.get(f"Patient/{looked}")
    client.get("/admin/")
    signed_in("administrator").get("/admin/healthrecords/user/")
    events = found(auditor, _count="200")
    assert len(events) == AccessEvent.objects.count() - 1
    for event in events:
        faults = [issue for issue in validate(event, "AuditEvent") if issue.severity in ("error", "fatal")]
        assert faults == []


def test_each_term_narrows_as_it_says(auditor, looked, trail):
    [read] = trail(action="read")
    clinician = read.actor_id
    for terms in (
        {"_id": str(read.pk)},
        {"entity": f"Patient/{looked}", "action": "R"},
        {"agent": clinician, "type": "rest", "subtype": "read"},
        {"agent:identifier": f"urn:healthrecords:token|{clinician}", "action": "R"},
        {"agent-name": "Clinician", "type": f"{codes.REST}|rest", "subtype": f"{codes.INTERACTION}|read"},
        {"address": "127.0.0.", "action": "R", "date": f"ge{read.time:%Y-%m-%dT%H:%M:%SZ}"},
        {"patient": f"Patient/{looked}", "action:not": "C,E"},
    ):
        assert [event["id"] for event in found(auditor, **terms)] == [str(read.pk)], terms
    for terms in ({"_id": "no-such"}, {"agent": "nobody"}, {"outcome": "12"}, {"date": "lt2020"}, {"type": "110106"}):
        assert found(auditor, **terms) == []


@pytest.mark.parametrize("terms", ["name=x", "outcome=good", "entity=thing", "patient.name=x", "_sort=agent", "date=x"])
def test_a_term_that_there_is_not_is_refused(auditor, terms):
    answer = auditor.get(f"AuditEvent?{terms}")
    assert (answer.status_code, answer.json()["resourceType"]) == (400, "OperationOutcome")


def test_pages_neither_skip_nor_repeat_though_each_adds_an_event(auditor, integrator):
    for number in range(7):
        integrator.create(identifier=[{"system": "urn:example:mrn", "value": str(number)}])
    wanted = [str(key) for key in AccessEvent.objects.order_by("-time", "-uuid").values_list("pk", flat=True)]
    address, seen = "AuditEvent?_count=3", []
    while address:
        page = auditor.get(address).json()
        seen += [entry["resource"]["id"] for entry in page["entry"]]
        address = next((link["url"] for link in page["link"] if link["relation"] == "next"), "")
    assert seen == wanted


def test_the_oldest_come_first_when_asked_so(auditor, looked):
    times = [event["recorded"] for event in found(auditor, _sort="date", patient=looked)]
    assert times == sorted(times)
    assert len(times) == 3


def test_a_total_is_counted_when_asked_for(auditor, looked):
    assert auditor.get(f"AuditEvent?patient={looked}&_summary=count").json()["total"] == 3
    assert "total" not in auditor.get(f"AuditEvent?patient={looked}").json()


def test_a_search_by_post_finds_the_same(auditor, looked):
    form = {"Content_Type": "application/x-www-form-urlencoded"}
    answer = auditor.post("AuditEvent/_search", f"patient={looked}&action=R", **form)
    assert len(answer.json()["entry"]) == 1


def test_one_is_read_by_its_id(auditor, looked, trail):
    [read] = trail(action="read")
    assert auditor.get(f"AuditEvent/{read.pk}").json() == found(auditor, _id=str(read.pk))[0]
    for nothing in ("no-such", "018f0000-0000-7000-8000-000000000000"):
        assert auditor.get(f"AuditEvent/{nothing}").status_code == 404


def test_each_look_leaves_one_row(auditor, looked, trail):
    [read] = trail(action="read")
    auditor.get(f"AuditEvent/{read.pk}")
    auditor.get(f"AuditEvent?patient={looked}")
    one, many = trail(resource_type="AuditEvent")
    assert (one.action, one.resources) == ("read", [f"AuditEvent/{read.pk}"])
    assert (many.action, many.query, many.patient) == ("search", f"patient={looked}", None)


def test_without_that_row_nothing_is_shown(auditor, looked, broken_trail):
    answer = auditor.get("AuditEvent")
    assert (answer.status_code, answer.json()["resourceType"]) == (500, "OperationOutcome")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_nobody_writes_one(auditor, looked, trail, method):
    [read] = trail(action="read")
    body = {"resourceType": "AuditEvent", "id": str(read.pk)}
    for path in ("AuditEvent", f"AuditEvent/{read.pk}"):
        assert auditor.send(method, path, body).status_code == 405


def test_the_capabilities_name_it(client: Client):
    listed = client.get("/fhir/metadata").json()["rest"][0]["resource"]
    [described] = [each for each in listed if each["type"] == "AuditEvent"]
    assert [each["code"] for each in described["interaction"]] == ["read", "search-type"]
    assert {"patient", "agent", "date", "entity"} <= {each["name"] for each in described["searchParam"]}
