"""What may be told, and what becomes of it in the outbox."""

import ast
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from healthrecords.notify import outbox, tell
from healthrecords.notify.models import Channel, Delivery, Notice, Route
from healthrecords.notify.wording import message

APPS = ("healthrecords", "patients", "immunizations", "documents", "ops", "compliance")
PERSONAL = ["Ada Lovelace", "ada@example.org", "555 0100", "", "x" * 129, "<b>x</b>", None, 1.5, ["a"]]


@pytest.mark.parametrize("value", PERSONAL)
def test_a_fact_that_is_no_number_and_no_plain_identifier_is_refused(db, value):
    with pytest.raises(ValueError, match="neither a whole number nor a plain identifier"):
        tell("backup.failed", "critical", "A backup failed.", job=value)
    assert not Notice.objects.exists()


@pytest.mark.parametrize(
    ("event", "severity", "summary"),
    [
        ("Backup failed", "critical", "x"),
        ("backup.failed", "grave", "x"),
        ("backup.failed", "critical", ""),
        ("backup.failed", "critical", "two\nlines"),
        ("backup.failed", "critical", "The job {job} failed."),
    ],
)
def test_what_is_no_event_no_severity_or_no_sentence_is_refused(db, event, severity, summary):
    with pytest.raises(ValueError, match=r"An event|A severity|summary"):
        tell(event, severity, summary)


def test_a_notice_is_in_the_transaction_of_who_tells_it(db):
    with transaction.atomic():
        tell("backup.failed", "critical", "A backup failed.")
        transaction.set_rollback(True)
    assert not Notice.objects.exists()


def test_the_same_trouble_within_an_hour_is_one_notice_with_a_count(db):
    for late in (5, 6, 7):
        tell("schedule.late", "warning", "The job {job} is {minutes} minutes late.", job="seal", minutes=late)
    tell("schedule.late", "warning", "The job {job} is {minutes} minutes late.", job="backup", minutes=7)
    assert outbox.route() == 2
    seal, backup = Notice.objects.get(facts__job="seal"), Notice.objects.get(facts__job="backup")
    assert (seal.count, seal.summary, backup.count) == (3, "The job seal is 7 minutes late.", 1)


def test_the_same_trouble_after_an_hour_is_told_again(db):
    tell("schedule.late", "warning", "A job is late.")
    outbox.route(timezone.now() - timedelta(minutes=61))
    tell("schedule.late", "warning", "A job is late.")
    assert outbox.route() == 1
    assert Notice.objects.count() == 2


ROUTES = [
    ("", "", True), ("critical", "", True), ("warning", "", False), ("", "backup", True), ("", "backup.failed", True),
    ("", "back", False), ("", "backup.failed.twice", False), ("critical", "schedule", False),
]  # fmt: skip


@pytest.mark.parametrize(("severity", "event", "takes"), ROUTES)
def test_a_route_takes_notices_of_its_severity_and_its_events(severity, event, takes):
    assert Route(severity=severity, event=event).takes(Notice(event="backup.failed", severity="critical")) is takes


def test_a_notice_goes_once_to_each_channel_however_many_routes_lead_there(db):
    channel = Channel.objects.create(name="chat", service="Slack", address="slack://x")
    off = Channel.objects.create(name="off", service="Slack", address="slack://x", enabled=False)
    for each in (channel, off):
        Route.objects.create(channel=each, severity="critical")
        Route.objects.create(channel=each, event="backup")
    tell("backup.failed", "critical", "A backup failed.")
    outbox.route()
    assert [each.channel for each in Delivery.objects.all()] == [channel]


@pytest.mark.parametrize(("severity", "ways"), [("critical", 1), ("warning", 1), ("info", 0)])
def test_what_no_route_takes_goes_to_operators_by_mail_unless_it_is_only_info(db, settings, severity, ways):
    settings.MAIL_IS_SET = True
    tell("backup.failed", severity, "A backup failed.")
    outbox.route()
    assert Delivery.objects.filter(channel=None).count() == ways


def test_the_words_hold_the_facts_and_the_id(db, settings):
    settings.ORGANIZATION_NAME = "Lakeside Clinic"
    told = tell("schedule.late", "warning", "The job {job} is late.", job="backup-full", minutes_late=12)
    said = message(told)
    assert said.title == "Warning: Lakeside Clinic"
    assert said.brief == "Warning: The job backup-full is late."
    for part in ("Job: backup-full", "Minutes late: 12", "Event: schedule.late", str(told.pk)):
        assert part in said.body


def test_old_notices_are_forgotten(db):
    tell("a.b", "info", "Old."), tell("a.b", "info", "New.")
    Notice.objects.filter(summary="Old.").update(told_at=timezone.now() - timedelta(days=401))
    assert outbox.forget() == 1
    assert [each.summary for each in Notice.objects.all()] == ["New."]


# --- every call of `tell` in the code


def _calls() -> Iterator[tuple[str, ast.Call]]:
    for app in APPS:
        for path in sorted((settings.BASE_DIR / app).rglob("*.py")):
            if "tests" not in path.parts:
                yield from _told_in(path)


def _told_in(path: Path) -> Iterator[tuple[str, ast.Call]]:
    text = path.read_text(encoding="utf-8")
    if "healthrecords.notify import tell" not in text and "healthrecords import notify" not in text:
        return
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("tell", "notify.tell"):
            yield f"{path.relative_to(settings.BASE_DIR)}:{node.lineno}", node


def _is_literal(node: ast.expr) -> bool:
    if isinstance(node, ast.IfExp):
        return _is_literal(node.body) and _is_literal(node.orelse)
    return isinstance(node, ast.Constant)


def test_every_summary_in_the_code_is_a_sentence_of_the_code():
    """What varies goes into facts, which are checked; a summary that is put together could hold anything."""
    assert [where for where, call in _calls() if len(call.args) < 3 or not _is_literal(call.args[2])] == []


@pytest.mark.parametrize("text", ["tell('a.b', 'info', f'{name} came.')", "tell('a.b', 'info', summary)"])
def test_a_summary_that_is_put_together_would_be_found(text):
    call = ast.parse(text).body[0].value
    assert not _is_literal(call.args[2])
