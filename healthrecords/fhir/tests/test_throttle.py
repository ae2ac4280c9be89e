"""Throttles by client and by cost."""

import pytest
from django_redis.cache import RedisCache

from healthrecords.fhir import throttle
from tests.cast import PATIENT


@pytest.fixture(autouse=True)
def few(settings, monkeypatch):
    """Twelve units in ten seconds; the clock stands still."""
    settings.RATE_UNITS_PER_MINUTE = 72
    monkeypatch.setattr(throttle.time, "time", lambda: 1_000_003.0)
    monkeypatch.setattr(throttle, "_down_until", 0.0)
    throttle._local.clear()


def statuses(caller, path, count):
    return [caller.get(path).status_code for _ in range(count)]


def test_a_client_that_asks_too_much_waits_and_is_told_how_long(integrator, trail):
    assert statuses(integrator, "Patient/none", 13) == [404] * 12 + [429]
    rows = len(trail())
    answer = integrator.get("Patient/none")
    assert (answer.status_code, answer["Retry-After"]) == (429, "7")
    assert answer.json()["issue"][0]["code"] == "throttled"
    assert "try again in" in answer.json()["issue"][0]["diagnostics"]
    assert len(trail()) == rows


def test_another_client_goes_on(integrator, clinician):
    statuses(integrator, "Patient/none", 13)
    assert clinician.get("Patient/none").status_code == 404


def test_the_next_window_is_free_again(integrator, monkeypatch):
    statuses(integrator, "Patient/none", 13)
    monkeypatch.setattr(throttle.time, "time", lambda: 1_000_010.0)
    assert integrator.get("Patient/none").status_code == 404


@pytest.mark.parametrize(
    ("method", "action", "parameters", "units"),
    [
        ("GET", "read", [], 1),
        ("POST", "create", [], 2),
        ("DELETE", "destroy", [], 2),
        ("GET", "search", ["name"], 2),
        ("GET", "search", ["_include", "_revinclude:iterate", "patient.name", "_has:Immunization:patient:date"], 10),
        ("POST", "search_by_post", ["name"], 2),
        ("GET", "type_history", [], 2),
    ],
)
def test_what_makes_more_work_costs_more(method, action, parameters, units):
    assert throttle.cost(method, action, parameters) == units


def test_a_bundle_costs_by_its_entries_and_is_never_too_large(integrator):
    entry = {"request": {"method": "POST", "url": "Patient"}, "resource": PATIENT}
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": [entry] * 20}
    assert integrator.post("", bundle).status_code == 200
    assert integrator.get("Patient/none").status_code == 429


def test_without_the_cache_each_process_throttles_for_itself(integrator, monkeypatch):
    monkeypatch.setattr(throttle, "cache", RedisCache("redis://:nothing-listens-here@127.0.0.1:1/0", {}))
    assert statuses(integrator, "Patient/none", 13) == [404] * 12 + [429]
