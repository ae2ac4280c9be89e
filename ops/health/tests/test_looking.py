"""The looks of the timetable: what they keep, since when, and the page that shows it."""

from datetime import timedelta

import pytest
from django.utils import timezone

from healthrecords.schedule import JOBS
from ops.health import looking, registry
from ops.health.models import HealthState
from ops.health.registry import Check, Problem, Told


@pytest.fixture
def disk(monkeypatch):
    """Decide what the check of the disk says, and let it be the only one of the quick groups."""
    answers = {"answer": "There is room."}

    def asked():
        if isinstance(answers["answer"], Exception):
            raise answers["answer"]
        return answers["answer"]

    known = {"disk": Check("disk", "host", asked, 2, "Make room.")}
    monkeypatch.setattr(registry, "checks", lambda: known)
    monkeypatch.setattr(looking, "checks", lambda: known)
    return answers


def test_a_look_keeps_what_it_found_and_since_when(db, disk):
    assert looking.look().outcome == "good"
    begun = HealthState.objects.get().since
    assert looking.look().summary == "Nothing is wrong in 1 check."
    assert HealthState.objects.get().since == begun
    disk["answer"] = Problem("It is full.")
    assert looking.look().summary == "1 problem: disk."
    kept = HealthState.objects.get()
    assert (kept.state, kept.text, kept.next_step) == ("problem", "It is full.", "Make room.")
    assert kept.since > begun


def test_since_is_what_the_check_knows_better(db, disk):
    hours = timezone.now() - timedelta(hours=3)
    disk["answer"] = Problem("It is full.", since=hours)
    looking.look()
    assert HealthState.objects.get().since == hours


def test_what_fails_once_only_is_no_problem(db, disk, monkeypatch):
    failing = iter([Problem("A hiccup.")])

    def once():
        for fault in failing:
            raise fault
        return "There is room."

    monkeypatch.setitem(registry.checks(), "disk", Check("disk", "host", once, 2, ""))
    assert looking.look().outcome == "good"


def test_a_command_tells_since_when_a_problem_is_known(db):
    told = [Told("database", "database", "good", ""), Told("disk", "host", "problem", "It is full.")]
    assert [each.since for each in looking.with_age(told)] == [None, None]
    HealthState.remember(told)
    assert looking.with_age(told)[1].since == HealthState.objects.get(pk="disk").since


def test_the_looks_are_jobs_of_the_timetable():
    tasks = {job.name: job.task for job in JOBS}
    assert tasks[looking.LOOK] == "ops.health.tasks.look"
    assert tasks["check-integrity"] == "ops.health.tasks.look_deeply"


def test_the_page_shows_what_is_wrong_first_with_what_to_do(signed_in):
    HealthState.remember([
        Told("database", "database", "good", "PostgreSQL answers."),
        Told("disk", "host", "problem", "Only <5> GB are free.", "Make room."),
        Told("mail", "external", "not configured", "No mail server."),
    ])  # fmt: skip
    page = signed_in("operator").get("/admin/ops/healthstate/").content.decode()
    assert page.index("Only &lt;5&gt; GB are free. Make room.") < page.index("PostgreSQL answers.")
    assert "1 check found something wrong." in page
    assert "Not set" in page


def test_before_the_first_look_the_page_says_when_it_comes(signed_in):
    page = signed_in("operator").get("/admin/ops/healthstate/").content.decode()
    assert "Nothing has been asked yet: the timetable asks every 5 minutes." in page
