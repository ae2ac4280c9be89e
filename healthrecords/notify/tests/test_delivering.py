"""Notices reach real receivers, once; a channel that is down or hangs holds nobody up."""

import subprocess
import threading
from datetime import timedelta

from django.core.cache import cache
from django.db import connection, transaction
from django.utils import timezone

from healthrecords.notify import delivering, outbox, sending, tasks, tell
from healthrecords.notify.delivering import send_waiting
from healthrecords.notify.models import Channel, Delivery, Route, State
from healthrecords.notify.tests.conftest import due_again, only


def test_operators_and_administrators_get_a_mail_where_no_channel_is_set_up(operators, inbox):
    told = tell("backup.failed", "critical", "A backup failed.", job="backup-full")
    assert send_waiting() == (1, 0)
    assert [(mail["To"], mail["Subject"]) for mail in inbox] == [
        ("administrator@example.org, operator@example.org", "Critical: A backup failed.")
    ]
    assert "Job: backup-full" in inbox[0].get_payload()
    assert only(told).state == State.SENT
    assert send_waiting() == (0, 0)


def test_a_webhook_is_given_the_notice(oncall, service):
    told = tell("backup.failed", "critical", "A backup failed.", job="backup-full")
    assert send_waiting() == (1, 0)
    assert [each["title"] for each in service.taken] == ["Critical: HealthRecords"]
    assert service.taken[0]["type"] == "failure"
    assert str(told.pk) in service.taken[0]["message"]
    assert only(told).state == State.SENT


def test_a_channel_that_is_down_is_tried_again_with_backoff_and_given_up_at_last(oncall, service):
    service.status = 503
    told = tell("backup.failed", "critical", "A backup failed.")
    send_waiting()
    assert (only(told).state, only(told).tries) == (State.WAITING, 1)
    assert "503" in only(told).reason
    Delivery.objects.update(tries=delivering.TRIES - 1)
    due_again()
    assert send_waiting() == (0, 1)
    assert only(told).state == State.FAILED
    due_again()
    assert send_waiting() == (0, 0)


def test_waits_grow_to_an_hour():
    minutes = [delivering.wait_after(tries).total_seconds() / 60 for tries in range(1, 10)]
    assert minutes == [1, 2, 4, 8, 16, 32, 60, 60, 60]


def test_a_failed_try_waits_before_the_next(oncall, service):
    service.status = 500
    told = tell("backup.failed", "critical", "A backup failed.")
    send_waiting()
    assert only(told).next_at > timezone.now() + timedelta(seconds=30)
    assert send_waiting() == (0, 0)
    service.status = 200
    due_again()
    assert send_waiting() == (1, 0)
    assert only(told).reason == ""


def test_a_channel_that_hangs_costs_one_time_limit_and_holds_no_other_up(oncall, service, inbox, monkeypatch):
    run = subprocess.run

    def sooner(*args, timeout, **options):
        """Webhooks get less time than they need never take; mail keeps its own."""
        return run(*args, timeout=3 if '"url"' in options["input"] else timeout, **options)

    monkeypatch.setattr(sending.subprocess, "run", sooner)
    service.silent.set()
    mail = Channel.objects.create(name="mail", service="Mail", address="mailto:desk@example.org")
    Route.objects.create(channel=mail)
    for number in range(3):
        tell("backup.failed", "critical", "A backup failed.", job=f"job-{number}")
    assert send_waiting() == (3, 1)
    assert len(inbox) == 3
    hung = Delivery.objects.filter(channel=oncall, tries__gt=0)
    assert ["longer than" in each.reason for each in hung] == [True]


def test_no_secret_of_an_address_is_in_the_reason(oncall, service):
    service.status = 404
    told = tell("backup.failed", "critical", "A backup failed.")
    send_waiting()
    assert only(told).reason
    assert "a-long-secret" not in only(told).reason


def test_two_workers_never_send_the_same_message_at_the_same_time(oncall):
    """One has the row in hand in its open transaction; the other passes over it instead of waiting for it."""
    tell("backup.failed", "critical", "A backup failed.")
    outbox.route()
    others = []

    def work() -> None:
        others.append(delivering.claim(channel=oncall))
        connection.close()

    with transaction.atomic():
        assert delivering.claim(channel=oncall)
        other = threading.Thread(target=work)
        other.start()
        other.join()
    assert others == [None]
    assert delivering.claim(channel=oncall) is None


def test_one_run_at_a_time(oncall, service):
    tell("backup.failed", "critical", "A backup failed.")
    cache.add(delivering.RUNNING, 1)
    assert send_waiting() == (0, 0)
    cache.delete(delivering.RUNNING)
    assert send_waiting() == (1, 0)


def test_what_a_process_that_died_had_claimed_goes_out_once_its_claim_has_run_out(oncall, service):
    """At least once: the message left, the record did not."""
    told = tell("backup.failed", "critical", "A backup failed.")
    outbox.route()
    claimed = delivering.claim(channel=oncall)
    sending.send(oncall.address, delivering.message(told))
    assert send_waiting() == (0, 0)
    assert claimed.next_at - timezone.now() > timedelta(seconds=sending.SECONDS)
    due_again()
    assert send_waiting() == (1, 0)
    assert [str(told.pk) in each["message"] for each in service.taken] == [True, True]


def test_who_comes_back_after_its_claim_ran_out_records_nothing(oncall, service):
    tell("backup.failed", "critical", "A backup failed.")
    outbox.route()
    late = delivering.claim(channel=oncall)
    due_again()
    send_waiting()
    service.status = 500
    assert delivering.attempt(late) is False
    assert Delivery.objects.get().state == State.SENT


def test_the_queue_is_asked_after_the_commit_and_its_silence_stops_nobody(db, monkeypatch):
    def fail(*_: object, **__: object) -> None:
        raise OSError("the broker is away")

    monkeypatch.setattr(tasks.send, "apply_async", fail)
    assert tell("backup.failed", "critical", "A backup failed.").pk


def test_a_storm_asks_the_worker_once_until_it_begins(oncall, service, monkeypatch):
    asked = []
    monkeypatch.setattr(tasks.send, "apply_async", lambda **_: asked.append(1))
    for number in range(3):
        tell("backup.failed", "critical", "A backup failed.", job=f"job-{number}")
    assert len(asked) == 1
    tasks.send()
    tell("backup.failed", "critical", "A backup failed.", job="job-3")
    assert (len(asked), len(service.taken)) == (2, 3)


def test_without_the_cache_notices_still_leave(oncall, service, monkeypatch):
    def fail(*_: object, **__: object) -> None:
        raise OSError("the cache is away")

    monkeypatch.setattr(delivering.cache, "add", fail)
    monkeypatch.setattr(delivering.cache, "set", fail)
    tell("backup.failed", "critical", "A backup failed.")
    assert send_waiting() == (1, 0)
