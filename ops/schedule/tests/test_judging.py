"""When a job is late: pure facts, as a table."""

from datetime import UTC, datetime, timedelta

import pytest

from healthrecords.schedule import HOUR, LONG, MINUTE, Job, daily, every
from ops.schedule.judging import age, is_silent, judge
from ops.schedule.models import Pulse, Standing

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
FULL = Job("full", "x.tasks.x", daily(2, 0), HOUR, 2 * HOUR, queue=LONG)
SEAL = Job("seal", "x.tasks.x", every(1), MINUTE, 2 * MINUTE)


def at(text):
    return datetime.fromisoformat(f"2026-11-{text}").replace(tzinfo=UTC) if text else None


def pulses(heard=timedelta(seconds=10), steady="20 00:00"):
    return {name: Pulse(name, NOW - heard, at(steady)) for name in ("beat", "worker celery", "worker long")}


@pytest.mark.parametrize(
    ("begun", "running", "outcome", "verdict"),
    [
        ("25 02:00", False, "good", ""),
        ("25 02:00", False, "problem", "problem"),
        ("25 02:00", False, "error", "error"),
        ("25 02:00", False, "interrupted", "interrupted"),
        ("24 02:00", False, "good", "late"),
        ("24 02:00", False, "error", "late"),
        ("25 02:00", True, "good", "long"),
        ("25 11:30", True, "good", ""),
        ("25 11:30", True, "error", "error"),
        (None, False, "", "late"),
        ("27 02:00", False, "good", "late"),
        ("25 12:00:40", False, "good", ""),
    ],
    ids=str,
)
def test_a_daily_job(begun, running, outcome, verdict):
    stands = Standing(job="full", since=at("20 00:00"), begun=at(begun), running=running, outcome=outcome)
    assert judge(FULL, stands, pulses(), NOW).trouble == verdict


@pytest.mark.parametrize(("since", "verdict"), [("25 11:00", ""), ("25 01:00", "late"), ("27 00:00", "")])
def test_a_job_that_never_ran_is_late_only_after_a_turn_of_its_own_time(since, verdict):
    assert judge(FULL, Standing(job="full", since=at(since)), pulses(), NOW).trouble == verdict


@pytest.mark.parametrize(("ago", "verdict"), [(60, ""), (179, ""), (181, "late"), (-30, ""), (-3600, "late")])
def test_a_job_of_each_minute_counts_from_its_last_run_and_not_from_a_time_to_come(ago, verdict):
    stands = Standing(job="seal", since=at("20 00:00"), begun=NOW - timedelta(seconds=ago), outcome="good")
    assert judge(SEAL, stands, pulses(), NOW).trouble == verdict


def test_while_nobody_hands_out_or_runs_no_job_is_told_to_be_late():
    stands = Standing(job="full", since=at("20 00:00"), begun=at("24 02:00"), outcome="good")
    quiet = pulses()
    quiet["worker long"].time = NOW - timedelta(hours=5)
    assert judge(FULL, stands, quiet, NOW).trouble == ""
    assert judge(FULL, stands, {}, NOW).trouble == ""


@pytest.mark.parametrize(("steady", "verdict"), [("25 11:00", ""), ("25 09:59", "late")])
def test_after_a_stop_a_job_has_its_lateness_once_more(steady, verdict):
    stands = Standing(job="full", since=at("20 00:00"), begun=at("24 02:00"), outcome="good")
    assert judge(FULL, stands, pulses(steady=steady), NOW).trouble == verdict


@pytest.mark.parametrize(("ago", "silent"), [(0, False), (180, False), (181, True), (-30, False), (-300, True)])
def test_who_was_not_heard_for_three_minutes_is_silent_and_a_time_to_come_is_no_word(ago, silent):
    pulse = Pulse("beat", NOW - timedelta(seconds=ago), NOW)
    assert is_silent(pulse, NOW) is silent
    assert (age(pulse, NOW) is None) is (ago == -300)
    assert is_silent(None, NOW)
