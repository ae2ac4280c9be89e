"""Who is told of what the timetable missed, once, and when it is over."""

from datetime import timedelta

import pytest
from django.utils import timezone

from healthrecords.notify.models import Notice
from healthrecords.schedule import JOBS
from ops.schedule import pulses, status, watching
from ops.schedule.models import Pulse, Standing, Trouble
from ops.schedule.tests.conftest import dead

SEAL = next(job for job in JOBS if job.name == "seal-audit-trail")


def told():
    """The notices so far, in their order: event, severity and sentence."""
    return list(Notice.objects.order_by("told_at", "uuid").values_list("event", "severity", "summary"))


def wait():
    """Let so much time go by that what is gone is over."""
    Trouble.objects.exclude(gone=None).update(gone=timezone.now() - timedelta(seconds=181))


def test_where_all_is_well_nobody_is_told_anything(running_well):
    watching.look()
    assert told() == []


@pytest.mark.parametrize(
    ("stands", "event", "sentence"),
    [
        ({"begun": timedelta(minutes=4)}, "schedule.late", "The job seal-audit-trail was not begun in its time."),
        ({"outcome": "error"}, "schedule.failed", "The job seal-audit-trail failed."),
        ({"outcome": "problem"}, "schedule.problem", "The job seal-audit-trail has found a problem."),
        ({"outcome": "interrupted"}, "schedule.interrupted", "The process of the job seal-audit-trail ended halfway."),
    ],
)
def test_a_trouble_is_told_once_and_once_when_it_is_over(running_well, stands, event, sentence):
    now, rows = timezone.now(), Standing.objects.filter(job=SEAL.name)
    rows.update(since=now - timedelta(days=1))
    rows.update(**{name: now - value if name == "begun" else value for name, value in stands.items()})
    for _ in range(3):
        watching.look()
    assert told() == [(event, "critical", sentence)]
    rows.update(begun=timezone.now(), outcome="good")
    for _ in range(3):
        watching.look()
    assert len(told()) == 1
    wait()
    for _ in range(3):
        watching.look()
    assert told()[1:] == [("schedule.over", "critical", "Over: seal-audit-trail is well again.")]
    assert not Trouble.objects.exists()


def test_a_job_that_fails_every_other_minute_is_one_trouble(running_well):
    for outcome in ("error", "good") * 4:
        Standing.objects.filter(job=SEAL.name).update(outcome=outcome)
        watching.look()
        Trouble.objects.exclude(gone=None).update(gone=timezone.now() - timedelta(seconds=60))
    assert [event for event, _, _ in told()] == ["schedule.failed"]


def test_a_trouble_that_comes_back_after_it_was_over_is_told_as_a_new_one(running_well):
    rows = Standing.objects.filter(job=SEAL.name)
    for _ in range(2):
        rows.update(outcome="error")
        watching.look()
        rows.update(outcome="good")
        watching.look()
        wait()
        watching.look()
    assert [event for event, _, _ in told()] == ["schedule.failed", "schedule.over"] * 2
    assert all("since" in notice.facts for notice in Notice.objects.all())


def test_a_job_that_is_late_after_it_failed_is_told_again(running_well):
    rows = Standing.objects.filter(job=SEAL.name)
    rows.update(outcome="error")
    watching.look()
    rows.update(begun=timezone.now() - timedelta(minutes=9), since=timezone.now() - timedelta(days=1))
    watching.look()
    assert [event for event, _, _ in told()] == ["schedule.failed", "schedule.late"]


@pytest.mark.parametrize("name", ["beat", "worker celery", "worker long"])
def test_who_is_silent_is_told_and_the_jobs_that_wait_for_it_are_not(running_well, name):
    Pulse.objects.filter(name=name).update(time=timezone.now() - timedelta(minutes=4))
    Standing.objects.update(begun=timezone.now() - timedelta(days=30), since=timezone.now() - timedelta(days=30))
    queues = {"worker celery": "celery", "worker long": "long"}
    watching.look()
    first, *others = told()
    assert first[0] == "schedule.silent"
    assert first[2].startswith(name.replace(" ", "-"))
    waiting = {job.name for job in JOBS if queues.get(name, job.queue) == job.queue}
    assert not any(job in sentence for job in waiting for _, _, sentence in others)


def test_one_that_speaks_again_is_well_again_and_its_jobs_have_their_lateness_once_more(running_well):
    old = timezone.now() - timedelta(minutes=10)
    Pulse.objects.update(time=old, steady=old)
    Standing.objects.update(begun=old, since=old)
    watching.look()
    assert len(told()) == 3
    pulses._last.clear()
    for name in status.process_names():
        pulses.say(name)
    watching.look()
    wait()
    watching.look()
    assert {event for event, _, _ in told()[3:]} == {"schedule.over"}
    assert len(told()) == 6


def test_a_run_of_a_killed_process_is_found_and_handed_out_again(sleeper, running_well, jobs, monkeypatch):
    dead(sleeper)
    again = jobs("sleeper", again=True)
    handed = []
    monkeypatch.setattr(watching, "JOBS", (again,))
    monkeypatch.setattr(watching.tasks, "hand_out", lambda job, by: handed.append((job.name, by)))
    watching.look()
    watching.look()
    assert handed == [("sleeper", "timetable")]


def test_a_sign_of_life_keeps_its_beginning_until_there_is_a_pause(db):
    pulses._last.clear()
    pulses.say("beat")
    steady = timezone.now() - timedelta(hours=1)
    for ago, kept in ((60, True), (181, False), (-3600, False)):
        Pulse.objects.update(time=timezone.now() - timedelta(seconds=ago), steady=steady)
        pulses._last.clear()
        pulses.say("beat")
        assert (Pulse.objects.get().steady == steady) is kept
        assert abs(Pulse.objects.get().time - timezone.now()) < timedelta(seconds=30)
