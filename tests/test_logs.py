"""Logs hold no personal data: marks are planted in every field, and no log, metric, cache key or message has them."""

import io
import json
import logging

import pytest
from django.core.cache import cache
from django.test import Client
from prometheus_client import REGISTRY, generate_latest

from healthrecords.settings import CELERY_BROKER_URL
from tests.cast import PATIENT

MARKS = (
    *("Zyxfamily", "Zyxgiven", "1907-03-09", "zyx-mrn-4711"),
    *("zyx@secret.example", "zyxnote", "999-55-1234", "zyxfree"),
)
SICK = {
    **PATIENT,
    "name": [{"family": "Zyxfamily", "given": ["Zyxgiven"], "text": "zyxfree"}],
    "birthDate": "1907-03-09",
    "identifier": [
        {"system": "urn:example:mrn", "value": "zyx-mrn-4711"},
        {"system": "http://hl7.org/fhir/sid/us-ssn", "value": "999-55-1234"},
    ],
    "telecom": [{"system": "email", "value": "zyx@secret.example"}],
    "address": [{"line": ["zyxfree"], "city": "zyxfree"}],
}


@pytest.fixture
def lines():
    """What the handler of the settings writes, at the lowest level."""
    stream = io.StringIO()
    root = logging.getLogger()
    handlers = [each for each in root.handlers if getattr(each.formatter, "processors", None)]
    assert handlers, "the structured handler is missing"
    kept = [(each, each.setStream(stream)) for each in handlers]
    root.setLevel(logging.DEBUG)
    yield stream.getvalue
    root.setLevel(logging.INFO)
    for each, old in kept:
        each.setStream(old)


def immunization(patient):
    return {
        "resourceType": "Immunization", "status": "completed", "patient": {"reference": f"Patient/{patient}"},
        "vaccineCode": {"coding": [{"system": "http://hl7.org/fhir/sid/cvx", "code": "140"}], "text": "zyxfree"},
        "occurrenceDateTime": "2024-10-01", "lotNumber": "zyxfree", "note": [{"text": "zyxnote"}],
    }  # fmt: skip


def live(integrator, signed_in, monkeypatch):
    """A day of everything that touches personal data, with every kind of failure."""
    patient = integrator.create(SICK)["id"]
    integrator.create(immunization(patient))
    integrator.create({
        "resourceType": "DocumentReference", "status": "current", "subject": {"reference": f"Patient/{patient}"},
        "description": "zyxnote", "content": [{"attachment": {"contentType": "text/plain", "data": "enl4bm90ZQ=="}}],
    })  # fmt: skip
    for query in ("family=Zyxfamily&birthdate=1907-03-09", "identifier=zyx-mrn-4711", "zyxfree=zyxnote"):
        integrator.get(f"Patient?{query}")
        integrator.post("Patient/_search", query, Content_Type="application/x-www-form-urlencoded")
    statuses = {
        integrator.get("Patient/zyxfree").status_code,
        integrator.post("Patient", {**SICK, "gender": "zyxfree"}).status_code,
        integrator.post("Patient", '{"name": "zyxfree').status_code,
        integrator.put(f"Patient/{patient}", {**SICK, "id": "zyxfree"}).status_code,
        integrator.put(f"Patient/{patient}", {**SICK, "id": patient}, If_Match='W/"9"').status_code,
        integrator.get("zyxfree/Zyxfamily?name=Zyxgiven").status_code,
    }
    assert statuses >= {400, 404, 412}
    with monkeypatch.context() as patch:

        def fail(*_):
            raise ValueError(MARKS)

        patch.setattr("healthrecords.fhir.interactions.read", fail)
        assert integrator.get(f"Patient/{patient}").status_code == 500
        patch.setattr("healthrecords.accounts.views.SignIn.get", fail)
        assert Client(raise_request_exception=False).get("/accounts/login/?next=zyxfree").status_code == 500
    clinician = signed_in("clinician")
    clinician.get("/admin/patients/patient/?q=Zyxfamily+1907-03-09")
    clinician.get("/admin/zyxfree/Zyxfamily/?q=Zyxgiven")
    clinician.get("/accounts/login/", headers={"Host": "zyxfree.example"})
    Client().post("/accounts/login/", {"login": "zyx@secret.example", "password": "zyxnote"})
    Client().get("/accounts/enrol/zyxfree/")
    integrator.send("ZYXFREE", "Patient")
    return patient


def test_no_log_metric_cache_entry_or_message_holds_what_is_personal(integrator, signed_in, monkeypatch, lines):
    patient = live(integrator, signed_in, monkeypatch)
    text = lines()
    assert text.count("request_id") > 20
    assert "ValueError" in text
    for mark in (*MARKS, patient, "ZYXFREE"):
        assert mark not in text, [line for line in text.splitlines() if mark in line][:3]
    metrics = generate_latest(REGISTRY).decode()
    held = [f"{key} {cache.get(key)!r}" for key in cache.keys("*")]
    for mark in MARKS:
        assert mark not in metrics
        assert not [each for each in held if mark in each]
        assert mark not in "".join(queued())


def queued():
    """Every value that waits in the broker."""
    import redis

    broker = redis.Redis.from_url(CELERY_BROKER_URL)
    for key in broker.keys("*"):
        kind = broker.type(key)
        yield repr(key) + repr(broker.lrange(key, 0, -1) if kind == b"list" else broker.dump(key))


def test_a_request_leaves_one_line_with_its_route_and_who_acted(integrator, lines, settings):
    patient = integrator.create()["id"]
    answer = integrator.get(f"Patient/{patient}?_summary=true")
    line = next(each for each in lines().splitlines() if answer["X-Request-Id"] in each)
    for part in ("fhir/Patient/<logical_id>", "status=200", "milliseconds=", "actor_kind=token", "method=GET"):
        assert part in line


def test_production_writes_json(db):
    import structlog

    from healthrecords.redaction import exceptions_without_text, scrubbed

    formatter = structlog.stdlib.ProcessorFormatter(processors=[
        structlog.stdlib.ProcessorFormatter.remove_processors_meta, exceptions_without_text, scrubbed,
        structlog.processors.JSONRenderer(),
    ])  # fmt: skip
    try:
        raise KeyError(MARKS)
    except KeyError as fault:
        record = logging.LogRecord("some", logging.ERROR, "", 0, "failed", (), (KeyError, fault, fault.__traceback__))
    told = json.loads(formatter.format(record))
    assert told["event"] == "failed"
    assert told["exception"].endswith("builtins.KeyError")
    assert "Zyx" not in str(told)
