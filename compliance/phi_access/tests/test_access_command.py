"""access log, as a compliance officer reads it on the host."""

import json
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.utils import timezone

from compliance.audit.tests.hands import backdate
from compliance.phi_access import report
from compliance.phi_access.models import AccessEvent
from healthrecords.access.request import AccessRequest, Actor
from healthrecords.trail import Fact, record

CLEO = Actor("user", "1", "Cleo Clinician", ("clinician",), (), ("TREAT",))
LAB = Actor("token", "2", "lab", ("integrator",), (), ("TREAT",))


def look(actor=CLEO, patient="p1", action="read", **more):
    asked = AccessRequest(actor, action, "Patient", purpose="TREAT", address="192.0.2.1", request_id="request-1")
    fact = Fact(action, patient=patient, resources=(f"Patient/{patient}",), versions=(3,), **more)
    record(asked, [fact])


def log(*arguments):
    out = StringIO()
    call_command("access", "log", "--json", *arguments, stdout=out)
    return json.loads(out.getvalue())


def test_each_event_has_the_agreed_names(db):
    look()
    answer = log()
    assert (answer["ok"], answer["outcome"], answer["summary"]) == (True, "good", "1 event.")
    event = answer["events"][0]
    assert datetime.fromisoformat(event["time"]).tzinfo
    assert {
        name: event[name] for name in ("actor", "action", "resources", "patient", "purpose", "outcome", "request")
    } == {
        "actor": "Cleo Clinician",
        "action": "read",
        "resources": ["Patient/p1"],
        "patient": "p1",
        "purpose": "TREAT",
        "outcome": "success",
        "request": "request-1",
    }


def test_events_come_newest_last(db):
    for patient in ("p1", "p2", "p3"):
        look(patient=patient)
    assert [event["patient"] for event in log()["events"]] == ["p1", "p2", "p3"]


def test_a_row_without_a_patient_says_null(db):
    record(AccessRequest(CLEO, "search", "Patient"), [Fact("search")])
    event = log()["events"][0]
    assert (event["patient"], event["resources"]) == (None, [])


def test_a_patient_is_named_by_id_or_reference(db):
    look(patient="p1")
    look(patient="p2")
    for named in ("p1", "Patient/p1"):
        assert [event["patient"] for event in log("--patient", named)["events"]] == ["p1"]


def test_an_actor_is_named_as_the_trail_names_them(db):
    look()
    look(LAB, action="create")
    assert [event["action"] for event in log("--actor", "lab")["events"]] == ["create"]


def test_filters_narrow_together(db):
    look()
    look(LAB)
    look(LAB, patient="p2")
    assert len(log("--actor", "lab", "--patient", "p1")["events"]) == 1


def test_the_limit_keeps_the_newest_and_says_that_there_are_older_ones(db):
    for number in range(4):
        look(patient=f"p{number}")
    answer = log("--limit", "2")
    assert [event["patient"] for event in answer["events"]] == ["p2", "p3"]
    assert answer["summary"] == "2 events; there are older ones, see --limit."
    assert "older" not in log("--limit", "100", "--patient", "p1")["summary"]


def test_since_takes_spans_and_instants(db):
    now = timezone.now()
    for hours in (50, 3, 1):
        look(patient=f"h{hours}")
        backdate(f"h{hours}", hours)

    def seen(since):
        return [event["patient"] for event in log("--since", since, "--actor", "Cleo Clinician")["events"]]

    assert seen("2h") == ["h1"]
    assert seen("1d") == ["h3", "h1"]
    assert seen("4w") == ["h50", "h3", "h1"]
    assert seen((now - timedelta(hours=2)).isoformat()) == ["h1"]
    assert seen(f"{now - timedelta(hours=2):%Y-%m-%dT%H:%M:%SZ}") == ["h1"]
    assert seen(f"{now - timedelta(days=30):%Y-%m-%d}") == ["h50", "h3", "h1"]


def test_times_without_a_zone_are_utc():
    assert report.since("2026-05-01") == datetime(2026, 5, 1, tzinfo=UTC)
    assert report.since("2026-05-01T08:30") == datetime(2026, 5, 1, 8, 30, tzinfo=UTC)
    assert report.since("2026-05-01T08:30+02:00") == datetime(2026, 5, 1, 6, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    "text", ["yesterday", "2h3m", "-2h", "2026-13-01", "2026-02-30", "999999w", "h", "2026-05-01T25:00"]
)
def test_a_since_that_is_no_time_is_bad_input(text, db):
    with pytest.raises(ValidationError):
        report.since(text)
    with pytest.raises(CommandError) as refused:
        log(f"--since={text}")
    assert refused.value.returncode == 2


@pytest.mark.parametrize("limit", ["0", "-1", "10001", "many"])
def test_a_limit_out_of_range_is_bad_input(limit, db):
    with pytest.raises(CommandError) as refused:
        log("--limit", limit)
    assert refused.value.returncode == 2


def test_reading_the_log_leaves_its_own_row(db):
    look()
    log("--patient", "p1", "--since", "2h")
    row = AccessEvent.objects.order_by("time", "uuid").last()
    assert (row.action, row.resource_type, row.actor_kind, row.route) == ("search", "AccessEvent", "host", "access log")
    assert row.detail.startswith("access log read by patient p1, since ")
    assert row.detail.endswith(": 1 rows")


def test_without_that_row_nothing_is_shown(db, monkeypatch):
    def refuse(*_):
        raise RuntimeError("the trail is full")

    look()
    monkeypatch.setattr("compliance.phi_access.report.trail.record", refuse)
    out = StringIO()
    with pytest.raises(CommandError) as refused:
        call_command("access", "log", "--json", stdout=out)
    assert refused.value.returncode == 2
    assert "events" not in json.loads(out.getvalue())


def test_the_table_shows_who_what_and_whom(db):
    look()
    out = StringIO()
    call_command("access", "log", stdout=out)
    heading, row, summary = out.getvalue().splitlines()
    assert heading.split() == ["time", "actor", "action", "outcome", "patient", "resources", "purpose", "request"]
    assert row.split()[2:] == ["Cleo", "Clinician", "read", "success", "p1", "Patient/p1", "TREAT", "request-1"]
    assert summary == "1 event."


def test_the_text_of_a_search_is_not_shown(db):
    record(AccessRequest(CLEO, "search", "Patient"), [Fact("search", query="name=Jansen")])
    assert "Jansen" not in json.dumps(log())
