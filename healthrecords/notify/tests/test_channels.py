"""Channels are set up in the console and by command, alike: sealed, recorded, tested."""

import io
import json

import pytest
from django.core.cache import cache
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection
from django.urls import reverse

from healthrecords.notify import delivering, sending, tell
from healthrecords.notify.models import Channel, Delivery, Notice, Route, State
from healthrecords.notify.tests.conftest import only


def page(channel):
    return reverse("admin:healthrecords_channel_page", args=[channel.pk])


ADD = "/admin/healthrecords/channel/add/"
MAIL = {"name": "desk", "address": "mailto:desk@example.org", "severities": ["critical"], "event": "backup"}


@pytest.fixture
def piped(monkeypatch):
    """What the next command reads from standard input."""
    return lambda text: monkeypatch.setattr("sys.stdin", io.StringIO(text))


def command(*arguments):
    """Run `notify` with --json; its exit code and what it prints."""
    out = io.StringIO()
    try:
        call_command("notify", *arguments, "--json", stdout=out)
    except CommandError as ended:
        return ended.returncode, json.loads(out.getvalue())
    return 0, json.loads(out.getvalue())


def test_an_operator_adds_a_channel_and_its_address_is_seen_no_more(signed_in, trail):
    browser = signed_in("operator")
    answer = browser.post(ADD, {**MAIL, "address": "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#ops"})
    made = Channel.objects.get()
    assert answer.status_code == 302
    assert answer["Location"] == page(made)
    assert made.service == "Slack"
    assert [str(route) for route in made.routes.all()] == ["critical, backup"]
    for each in (page(made), "/admin/healthrecords/channel/"):
        assert "TIiajkdnlazkcOXrIdevi7FQ" not in browser.get(each).content.decode()
    with connection.cursor() as cursor:
        cursor.execute("SELECT address FROM healthrecords_channel")
        assert b"TIiajkdnlazkcOXrIdevi7FQ" not in bytes(cursor.fetchone()[0])
    rows = [row.detail for row in trail() if row.detail.startswith("desk")]
    assert rows == ["desk: Slack", "desk: is told critical, backup"]


WRONG = [
    ({"name": "two words"}, "one word of letters"), ({"address": "http://clinic.example"}, "begins with mailto"),
    ({"address": "role:king"}, "There is no role"), ({"address": "mailto:nobody"}, "valid email"),
    ({"address": "slack://x"}, "not one that this service has"), ({"event": "Backup!"}, "dotted word"),
]  # fmt: skip


@pytest.mark.parametrize(("said", "told"), WRONG)
def test_what_is_wrong_with_a_channel_is_said_and_nothing_is_kept(signed_in, said, told):
    answer = signed_in("operator").post(ADD, MAIL | said)
    assert told in answer.content.decode()
    assert not Channel.objects.exists()


def test_a_change_asks_for_a_fresh_factor(signed_in, oncall):
    browser = signed_in("operator")
    session = browser.session
    session["account_authentication_methods"][0]["at"] -= 301
    session.save()
    assert browser.post(page(oncall), {"do": "disable"})["Location"].startswith("/accounts/confirm/")
    assert Channel.objects.get().enabled


def test_a_test_from_the_console_is_sent_by_the_worker_and_its_outcome_shows(signed_in, oncall, service, trail):
    browser = signed_in("administrator")
    browser.post(page(oncall), {"do": "test"})
    assert Delivery.objects.get().state == State.WAITING
    delivering.send_waiting()
    assert "test of the channel oncall" in service.taken[0]["message"]
    assert "test of the channel oncall" in browser.get(page(oncall)).content.decode()
    assert "oncall: was tested" in [row.detail for row in trail()]


def test_a_disabled_channel_is_told_nothing_and_what_waits_is_given_up(signed_in, oncall, service, trail):
    browser = signed_in("operator")
    browser.post(page(oncall), {"do": "test"})
    browser.post(page(oncall), {"do": "disable"})
    told = tell("backup.failed", "critical", "A backup failed.")
    assert delivering.send_waiting() == (0, 0)
    assert Delivery.objects.get().reason == "The channel was disabled."
    assert not told.deliveries.exists()
    browser.post(page(oncall), {"do": "enable"})
    assert Channel.objects.get().enabled
    assert [row.detail for row in trail()][-1] == "oncall: enabled"


def test_what_was_given_up_is_not_sent_again_by_a_disabled_channel(signed_in, oncall):
    browser = signed_in("operator")
    browser.post(page(oncall), {"do": "test"})
    browser.post(page(oncall), {"do": "disable"})
    answer = browser.post(reverse("admin:healthrecords_notice_page", args=[Notice.objects.get().pk]), follow=True)
    assert "nothing to send again" in answer.content.decode()
    assert Delivery.objects.get().state == State.FAILED


def test_routes_and_the_address_are_changed_and_recorded(signed_in, oncall, trail):
    browser = signed_in("operator")
    browser.post(page(oncall), {"do": "route", "severity": "critical", "event": "backup"})
    browser.post(page(oncall), {"do": "unroute", "route": Route.objects.get(severity="").pk})
    browser.post(page(oncall), {"do": "address", "address": "role:operator"})
    assert [str(route) for route in oncall.routes.all()] == ["critical, backup"]
    assert Channel.objects.get().service == "Mail to operator"
    assert [row.detail for row in trail() if row.action == "update"] == [
        "oncall: is told critical, backup", "oncall: is no longer told every severity, every event",
        "oncall: another address: Mail to operator",
    ]  # fmt: skip


def test_another_channel_s_route_is_not_removed_from_here(signed_in, oncall):
    other = Channel.objects.create(name="other", service="Mail", address="role:operator")
    route = Route.objects.create(channel=other)
    signed_in("operator").post(page(oncall), {"do": "unroute", "route": route.pk})
    assert Route.objects.filter(pk=route.pk).exists()


def test_what_was_given_up_can_be_sent_again_from_its_page(signed_in, oncall, service):
    told = tell("backup.failed", "critical", "A backup failed.")
    delivering.send_waiting()
    Delivery.objects.update(state=State.FAILED, reason="It took too long.")
    browser = signed_in("operator")
    address = reverse("admin:healthrecords_notice_page", args=[told.pk])
    assert "It took too long." in browser.get(address).content.decode()
    browser.post(address)
    assert delivering.send_waiting() == (1, 0)
    assert only(told).state == State.SENT


def test_every_page_says_when_nobody_would_be_told_and_when_something_was_given_up(signed_in, settings):
    browser = signed_in("operator")
    settings.MAIL_IS_SET = False
    delivering.send_waiting()
    assert "Nobody would be told" in browser.get("/admin/").content.decode()
    assert "Nobody would be told" not in signed_in("clinician").get("/admin/").content.decode()
    cache.set(delivering.MAIL, True)
    notice = Notice.objects.create(event="a.b", severity="info", summary="x", key=b"")
    Delivery.objects.create(notice=notice, state=State.FAILED, ended_at=notice.told_at)
    text = browser.get("/admin/").content.decode()
    assert "Nobody would be told" not in text
    assert "1 message to people could not be delivered" in text


def test_a_channel_is_added_tested_listed_and_disabled_by_command(db, service, piped, trail):
    piped(f"{service.address}\n")
    code, made = command("add", "oncall", "--severity", "critical")
    assert (code, made["leads_to"], made["told"]) == (0, "Webhook", ["critical, every event"])
    code, tested = command("test", "oncall")
    assert (code, tested["delivery"]["state"]) == (0, "sent")
    assert len(service.taken) == 1
    service.status = 500
    code, tested = command("test", "oncall")
    assert code == 1
    assert "500" in tested["summary"]
    code, listed = command("list")
    assert (listed["channels"][0]["channel"], len(listed["deliveries"]), listed["waiting"]) == ("oncall", 2, 1)
    assert command("disable", "oncall")[0] == 0
    assert command("test", "nowhere")[0] == 2
    assert "a-long-secret" not in json.dumps([listed, made, tested]) + "".join(row.detail for row in trail())


def test_what_waits_is_sent_by_command_and_a_failure_is_a_problem(oncall, service):
    tell("backup.failed", "critical", "A backup failed.")
    assert command("send")[0] == 0
    service.status = 500
    tell("backup.failed", "warning", "A backup failed.")
    assert command("send")[0] == 1


def test_mail_to_a_role_reaches_who_holds_it_now(operators, inbox):
    channel = Channel.objects.create(name="mail", service="Mail", address="role:operator")
    operators[0].is_active = False
    operators[0].save()
    assert sending.recipients(channel.address) == []
    assert sending.recipients("role:administrator") == ["administrator@example.org"]
