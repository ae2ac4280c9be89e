"""Beat's memory in the database, clocks that jump, and a database that is away."""

from datetime import timedelta

import psycopg
import pytest
from django.utils import timezone

from healthrecords.celery import app
from healthrecords.schedule import JOBS
from ops.schedule import running, tasks
from ops.schedule.beat import Timetable
from ops.schedule.models import Pulse, Standing


@pytest.fixture
def handed_out(monkeypatch):
    """What beat hands to the queue, by name."""
    names = []
    task = app.tasks["ops.schedule.tasks.perform"]
    monkeypatch.setattr(task, "apply_async", lambda args, *_, **__: names.append(args[0]))
    return names


@pytest.fixture
def timetable(db, handed_out):
    """Start beat; each tick hands out one job."""

    def timetable():
        made = Timetable(app)
        while made.tick() == 0:
            pass
        return made

    return timetable


def handed(**ago):
    Standing.all_by_name()
    now = timezone.now()
    Standing.objects.update(handed=now)
    for name, when in ago.items():
        Standing.objects.filter(job=name.replace("_", "-")).update(handed=now - when)


def test_a_new_job_waits_for_its_first_turn(timetable, handed_out):
    timetable()
    assert handed_out == []


def test_turns_that_fell_into_a_stop_are_made_up_for_once(timetable, handed_out):
    handed(backup_full=timedelta(days=3), expire_enrolment_links=timedelta(hours=5))
    timetable()
    assert sorted(handed_out) == ["backup-full", "expire-enrolment-links"]
    timetable()
    assert len(handed_out) == 2


def test_a_first_turn_that_fell_into_a_stop_is_made_up_for_too(timetable, handed_out):
    Standing.all_by_name()
    Standing.objects.filter(job="scan-all-documents").update(since=timezone.now() - timedelta(days=8))
    timetable()
    assert handed_out == ["scan-all-documents"]


def test_a_hand_out_that_is_dated_to_come_bars_nothing(timetable, handed_out):
    handed(seal_audit_trail=-timedelta(days=400))
    made = timetable()
    assert made.schedule["seal-audit-trail"].last_run_at <= timezone.now()


def test_a_clock_that_is_set_back_while_beat_runs_begins_anew_from_now(timetable, handed_out):
    made = timetable()
    for entry in made.schedule.values():
        entry.last_run_at += timedelta(hours=3)
    made._heap = None
    made.tick()
    assert {name for name, entry in made.schedule.items() if entry.last_run_at > timezone.now()} == set()
    made.schedule["seal-audit-trail"].last_run_at -= timedelta(minutes=2)
    made._heap = None
    made.tick()
    assert handed_out == ["seal-audit-trail"]


def test_beat_says_that_it_lives_with_each_look(timetable):
    from ops.schedule import pulses

    pulses._last.clear()
    timetable()
    assert Pulse.objects.get().name == "beat"


def test_every_job_of_the_timetable_is_in_beat(timetable):
    assert timetable().schedule.keys() >= {job.name for job in JOBS}


def test_a_database_that_is_away_postpones_a_turn(monkeypatch):
    answers = [psycopg.OperationalError("the database system is shutting down"), None]

    def perform(*_):
        if answer := answers.pop(0):
            raise answer

    monkeypatch.setattr(running, "perform", perform)
    tasks.perform.apply(("backup-full",))
    assert answers == []
