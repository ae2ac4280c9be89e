"""The cache: after a day's journey every key has an owner and an end, and nothing in it names a person."""

import json

import pytest
from django.core.cache import cache
from django.test import Client
from django_redis import get_redis_connection

from compliance.audit.tasks import verify
from healthrecords.notify.delivering import send_waiting
from ops.caching import kinds, survey
from ops.health.stores import cache_answers
from ops.monitoring import encryption
from ops.performance.reporting import Reporter
from tests.cast import PATIENT


def told(ended, key):
    return json.loads(ended.out)[key]


@pytest.fixture
def after_a_day(integrator, clinician, outsider, signed_in):
    """Reads, sorted searches, refusals, sign-ins that fail, screens, and a process that tells of itself."""
    for number in range(3):
        patient = integrator.create(identifier=[{"system": "urn:example:mrn", "value": f"MRN-{number}"}])
    integrator.get(f"Patient/{patient['id']}")
    integrator.get("Patient?family=Jansen&_sort=birthdate&_count=1")
    outsider.get(f"Patient/{patient['id']}")
    integrator.post("Patient", {**PATIENT, "birthDate": "never"})
    browser = signed_in("clinician", "operator", "administrator")
    browser.get("/admin/patients/patient/?q=Jansen")
    browser.get("/admin/search/?s=Jansen")
    for password in ("wrong", "again"):
        Client().post("/accounts/login/", {"login": "clinician@example.org", "password": password})
    encryption.measure()
    verify()
    send_waiting()
    assert cache_answers()
    Reporter("web").turn()
    return patient


def test_every_key_of_a_day_has_an_owner_and_an_end(after_a_day, operate):
    found = list(survey.entries())
    assert [each.key for each in found if each.stray] == []
    named = {each.kind.name for each in found}
    assert {"fhir-order", "rate", "guesses", "axes", "audit", "encryption", "notify", "health", "processes"} <= named
    for_ever = {kind.name for kind in (*kinds.CACHED, *kinds.RAW) if kind.longest is None}
    assert {each.kind.name for each in found if each.left is None} <= for_ever
    ended = operate("cache", "patterns", "--json")
    assert ended.code == 0, ended
    assert {row["kind"] for row in told(ended, "kinds")} == named
    assert all(row["why"] and row["owner"] for row in told(ended, "kinds"))


def test_no_key_and_no_value_of_a_day_names_a_person(after_a_day):
    client = get_redis_connection()
    read = {b"string": client.get, b"hash": client.hgetall, b"zset": lambda key: client.zrange(key, 0, -1)}
    held = " ".join(f"{key!r} {read[client.type(key)](key)!r}" for key in client.scan_iter())
    assert len(held) > 1000
    for mark in ("Jansen", "Maria", "1980-05-17", "MRN-", "clinician", "example.org", "127.0.0.1", after_a_day["id"]):
        assert mark not in held, mark


def test_cleanup_removes_what_has_no_owner_and_what_lives_too_long(after_a_day, operate):
    cache.set("left-by-an-older-version", "x", 60)
    cache.set("rate:token:1:1", 1, timeout=None)
    cache.set("fhir-order-kept", b"", 30)
    get_redis_connection().set("somebody-else", "x")
    assert operate("cache", "patterns").code == 1
    planned = operate("cache", "cleanup", "--dry-run", "--json")
    assert sum(told(planned, "reasons").values()) == 3
    assert cache.get("rate:token:1:1") == 1
    assert sum(told(operate("cache", "cleanup", "--json"), "reasons").values()) == 3
    assert cache.get("rate:token:1:1") is None
    assert cache.get("fhir-order-kept") == b""
    assert operate("cache", "patterns").code == 0


def test_usage_tells_of_memory_by_kind_and_names_no_key(after_a_day, operate):
    ended = operate("cache", "usage", "--json")
    assert ended.code == 0, ended
    assert told(ended, "memory")["bytes"] > 100_000
    assert {row["kind"] for row in told(ended, "largest")} <= {kind.name for kind in (*kinds.CACHED, *kinds.RAW)}


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        ("healthrecords:1:rate:token:7:1", "rate"),
        ("healthrecords:1:axes-00ff", "axes"),
        ("healthrecords:answers:00ff", "processes"),
        ("healthrecords:2:rate:token:7:1", None),
        ("rate:token:7:1", None),
        ("_kombu.binding.celery", None),
    ],
)
def test_a_key_belongs_to_a_kind_by_how_it_begins(raw, kind):
    found = kinds.owning(raw, "healthrecords:1:")
    assert (found.name if found else None) == kind
