"""Notices, channels and alerts in a browser: readable at a desk and on a phone, for those without sight too."""

from datetime import timedelta

import pytest
from django.utils import timezone

from healthrecords.notify.models import Channel, Delivery, Notice, Route, State
from ops.alerts.models import Alert, Watchdog
from tests.browser.test_admin import faults, fits

pytestmark = pytest.mark.needs("chromium")


@pytest.fixture
def told(db):
    """A day of notices by two channels, one of which was down; an alert that is open, and one that is over."""
    now = timezone.now()
    desk = Channel.objects.create(name="operators-mail", service="Mail to operator", address="role:operator")
    chat = Channel.objects.create(name="oncall-chat", service="Slack", address="slack://x")
    Route.objects.create(channel=desk)
    Route.objects.create(channel=chat, severity="critical")
    said = [
        (
            "schedule.late",
            "warning",
            "The job copy-new-documents was not begun in its time.",
            {"job": "copy-new-documents"},
        ),
        ("alert.firing", "critical", "DatabaseDown fires.", {"alert": "DatabaseDown", "instance": "postgres:5432"}),
        ("alert.resolved", "critical", "DatabaseDown is over.", {"alert": "DatabaseDown"}),
        ("backup.point", "info", "A recovery point was made.", {"point": "before-the-upgrade"}),
    ]
    for hours, (event, severity, summary, facts) in enumerate(said):
        at = now - timedelta(hours=9 - hours)
        notice = Notice.objects.create(event=event, severity=severity, summary=summary, facts=facts, key=b"",
                                       told_at=at, last_at=at, routed_at=at, count=3 if hours == 0 else 1)  # fmt: skip
        Delivery.objects.create(notice=notice, channel=desk, state=State.SENT, tries=1, ended_at=at)
        if severity == "critical":
            reason = "Failed to send Slack notification: Service Unavailable, error=503."
            Delivery.objects.create(notice=notice, channel=chat, state=State.FAILED, tries=10, reason=reason,
                                    ended_at=at + timedelta(hours=4))  # fmt: skip
    labels = {"instance": "postgres:5432", "job": "postgresql"}
    rest = {"labels": labels, "severity": "critical", "heard_at": now, "summary": "PostgreSQL does not answer."}
    Alert.objects.create(fingerprint="1", name="DatabaseDown", started_at=now - timedelta(hours=8),
                         ended_at=now - timedelta(hours=7), **rest)  # fmt: skip
    Alert.objects.create(fingerprint="2", name="BackupOverdue", started_at=now - timedelta(minutes=9), heard_at=now,
                         severity="warning", runbook="docs/runbooks/alerts/backup-overdue.md")  # fmt: skip
    Watchdog.objects.create(heard_at=now - timedelta(minutes=2))


def good(page):
    assert faults(page) == []
    assert fits(page)


def test_an_operator_sees_what_was_not_delivered_and_why(enter, live_server, told):
    page = enter("operator")
    page.get_by_role("link", name="See which").click()
    good(page)
    page.get_by_role("link", name="DatabaseDown fires.").click()
    assert page.get_by_text("Service Unavailable").is_visible()
    good(page)
    page.get_by_role("button", name="Try again what was given up").click()
    assert page.get_by_text("It is on its way again.").is_visible()


def test_an_operator_adds_a_channel_tells_it_more_and_tests_it(enter, live_server, told):
    page = enter("operator")
    page.goto(f"{live_server.url}/admin/healthrecords/notice/")
    good(page)
    page.get_by_role("link", name="Channels").click()
    good(page)
    page.get_by_role("link", name="Add a channel").click()
    good(page)
    page.get_by_label("Name").fill("desk")
    page.get_by_label("Address").fill("mailto:desk@clinic.example")
    page.get_by_label("Info").check()
    page.get_by_role("button", name="Add").click()
    assert page.get_by_text("The channel was added.").is_visible()
    page.get_by_role("textbox", name="Event").fill("backup")
    page.get_by_role("button", name="Add a route").click()
    assert page.get_by_text("every severity, backup").is_visible()
    page.get_by_role("button", name="Send a test").click()
    assert page.get_by_text("This is a test of the channel desk.").is_visible()
    good(page)
    assert "desk@clinic.example" not in page.content()


def test_open_alerts_come_first_and_say_what_to_do(enter, live_server, told):
    page = enter("operator")
    page.goto(f"{live_server.url}/admin/ops/alert/")
    assert page.locator(".rows tbody th").all_inner_texts()[0].startswith("BackupOverdue")
    good(page)
    page.get_by_role("link", name="BackupOverdue").click()
    assert page.get_by_text("docs/runbooks/alerts/backup-overdue.md").is_visible()
    good(page)
