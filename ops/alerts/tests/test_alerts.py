"""What Alertmanager posts is kept, told and bounded; and its silence is told, too."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from healthrecords.notify.models import Notice
from ops.alerts import hearing
from ops.alerts.models import Alert, Watchdog
from ops.alerts.reading import ALERTS, LABELS, LONGEST, MOST

FIRING = {
    "status": "firing",
    "labels": {"alertname": "DatabaseDown", "severity": "critical", "instance": "postgres:5432", "job": "postgresql"},
    "annotations": {"summary": "The database does not answer.", "runbook_url": "docs/runbooks/alerts/database.md"},
    "startsAt": "2026-11-25T14:30:00.123456789Z",
    "endsAt": "0001-01-01T00:00:00Z",
    "generatorURL": "http://prometheus:9090/graph",
    "fingerprint": "0123456789abcdef",
}
RESOLVED = {**FIRING, "status": "resolved", "endsAt": "2026-11-25T14:50:00Z"}
WATCHDOG = {**FIRING, "labels": {"alertname": "Watchdog", "severity": "none"}, "fingerprint": "ffffffffffffffff"}


def post(body: Any, token: str | None = None, **headers: str) -> int:
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()
    given = {"Authorization": f"Bearer {settings.ALERTS_TOKEN if token is None else token}", **headers}
    return Client().post("/alerts", sent, content_type="application/json", headers=given).status_code


def heard(*alerts: dict[str, Any]) -> int:
    return post({"version": "4", "status": "firing", "receiver": "healthrecords", "alerts": list(alerts)})


def told() -> list[tuple[str, str, str]]:
    return [(each.event, each.severity, each.summary) for each in Notice.objects.order_by("told_at", "uuid")]


@pytest.mark.parametrize("token", ["", "wrong", "Bearer"])
def test_nobody_without_the_token_makes_an_alert(db, token):
    assert post({"alerts": [FIRING]}, token) == 401
    assert not Alert.objects.exists()


def test_without_a_token_in_the_settings_nobody_does(db, settings):
    settings.ALERTS_TOKEN = ""
    assert post({"alerts": [FIRING]}) == 401


def test_an_alert_is_kept_and_told_once_and_told_again_when_it_is_over(db):
    for alert in (FIRING, FIRING, RESOLVED, RESOLVED):
        assert heard(alert) == 204
    kept = Alert.objects.get()
    assert (kept.name, kept.severity, kept.labels) == (
        "DatabaseDown",
        "critical",
        {"instance": "postgres:5432", "job": "postgresql"},
    )
    assert (kept.summary, kept.runbook) == ("The database does not answer.", "docs/runbooks/alerts/database.md")
    assert kept.ended_at - kept.started_at == timedelta(minutes=19, seconds=59, microseconds=876544)
    assert told() == [
        ("alert.firing", "critical", "DatabaseDown fires."),
        ("alert.resolved", "critical", "DatabaseDown is over."),
    ]
    assert Notice.objects.first().facts == {
        "alert": "DatabaseDown",
        "instance": "postgres:5432",
        "job": "postgresql",
    }


def test_an_alert_that_lasts_is_told_again_after_four_hours(db):
    heard(FIRING)
    Alert.objects.update(told_at=timezone.now() - hearing.REMIND)
    heard(FIRING)
    assert len(told()) == 2


def test_what_is_over_when_it_is_heard_first_is_kept_and_not_told(db):
    heard(RESOLVED)
    assert Alert.objects.get().ended_at
    assert told() == []


def test_an_alert_that_comes_back_is_another_one(db):
    heard(RESOLVED, {**FIRING, "startsAt": "2026-11-25T16:00:00Z"})
    assert Alert.objects.count() == 2
    assert [each.ended_at is None for each in Alert.objects.all()] == [True, False]  # open ones first


@pytest.mark.parametrize("severity", ["none", "page", "<b>", ""])
def test_a_severity_that_is_not_ours_is_info(db, severity):
    heard({**FIRING, "labels": {"alertname": "Odd", "severity": severity}})
    assert Alert.objects.get().severity == "info"


HOSTILE: list[Any] = [
    b"", b"null", b"[]", b"{", b'{"alerts": 1}', b"\xff\xfe", b"[" * 100_000,
    b'{"alerts": [null]}', b'{"alerts": [{}]}',
    {"alerts": [{**FIRING, "fingerprint": "../../etc"}]}, {"alerts": [{**FIRING, "labels": {}}]},
    {"alerts": [{**FIRING, "labels": {"alertname": "<script>"}}]}, {"alerts": [{**FIRING, "status": "perhaps"}]},
    {"alerts": [{**FIRING, "startsAt": "yesterday"}]}, {"alerts": [{**FIRING, "startsAt": "2026-11-25T14:30:00"}]},
    {"alerts": [{**FIRING, "startsAt": 7}]}, {"alerts": [{**FIRING, "fingerprint": 7}]},
    {"alerts": [FIRING] * (ALERTS + 1)}, b'{"alerts": [], "x": "' + b"x" * MOST + b'"}',
]  # fmt: skip


@pytest.mark.parametrize("body", HOSTILE, ids=range(len(HOSTILE)))
def test_what_alertmanager_would_not_post_is_refused_and_leaves_nothing(db, body):
    assert post(body) == 400
    assert not Alert.objects.exists()
    assert told() == []


def test_labels_are_bounded_and_plain(db):
    labels = {f"label_{number}": "x" * 600 for number in range(100)}
    hostile = {"alertname": "Odd", "bad name": "x", **labels, "job": "a\x00b", "instance": 7}
    notes = {"summary": "s" * 5000, "runbook_url": "javascript:alert(1)"}
    assert heard({**FIRING, "labels": hostile, "annotations": notes}) == 204
    kept = Alert.objects.get()
    assert len(kept.labels) == LABELS
    assert max(map(len, kept.labels.values())) == LONGEST
    assert len(kept.summary) == LONGEST
    assert kept.runbook == ""
    assert Notice.objects.get().facts == {"alert": "Odd"}  # nothing that is no plain identifier leaves


def test_the_watchdog_is_heard_and_told_to_nobody(db):
    heard(WATCHDOG)
    assert timezone.now() - Watchdog.last_heard() < timedelta(minutes=1)
    assert (Alert.objects.count(), told()) == (0, [])


def test_a_silent_alertmanager_is_told_and_so_is_its_return(db):
    heard(WATCHDOG)
    assert hearing.watch() is None
    assert hearing.watch(timezone.now() + timedelta(minutes=14)) is None
    assert hearing.watch(timezone.now() + timedelta(minutes=16))
    Watchdog.objects.update(heard_at=timezone.now() - timedelta(minutes=16))
    heard(WATCHDOG)
    heard(WATCHDOG)
    assert told() == [
        ("alerting.silent", "critical", "Alertmanager was not heard for 16 minutes: no alert would arrive."),
        ("alerting.back", "critical", "Alertmanager is heard again."),
    ]


def test_where_no_alertmanager_is_known_its_silence_is_no_trouble(db):
    assert hearing.watch(timezone.now() + timedelta(days=1)) is None
    assert told() == []


def test_where_one_is_configured_it_is_waited_for_from_the_first_minute(db, settings):
    settings.ALERTMANAGER = True
    assert hearing.watch() is None
    assert hearing.watch(timezone.now() + timedelta(minutes=16))


def test_prometheus_reads_what_waits_what_was_given_up_and_the_age_of_the_watchdog(db, integrator):
    heard(WATCHDOG)
    Watchdog.objects.update(heard_at=timezone.now() - timedelta(seconds=90))
    text = integrator.get("/metrics", Authorization=f"Bearer {settings.METRICS_TOKEN}").content.decode()
    figures = dict(line.rsplit(" ", 1) for line in text.splitlines() if line.startswith(("notices_", "alerts_")))
    assert figures["notices_waiting"] == figures["notices_failed"] == "0.0"
    assert 90 <= float(figures["alerts_watchdog_age_seconds"]) < 120


def test_old_alerts_are_forgotten_when_they_are_over(db):
    heard(RESOLVED, {**FIRING, "startsAt": "2026-11-25T16:00:00Z"})
    assert hearing.forget(timezone.now() + timedelta(days=401)) == 1
    assert Alert.objects.get().ended_at is None


def test_what_is_not_printable_is_left_out(db):
    heard({**FIRING, "labels": {"alertname": "Odd", "job": "a\x00b\x1b[31m"}})
    assert Alert.objects.get().labels == {"job": "ab[31m"}
