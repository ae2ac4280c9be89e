"""The pages of jobs: what they show, who may run one now, and what that leaves."""

import pytest
from django.utils import timezone
from kombu import pools

from healthrecords.celery import app
from healthrecords.schedule import JOBS
from ops.runs import Run
from ops.schedule import tasks
from ops.schedule.models import Standing
from ops.schedule.running import perform

PAGE = "/admin/ops/standing/"


@pytest.fixture
def handed(monkeypatch):
    """What was handed out: job and by whom."""
    handed = []
    monkeypatch.setattr(tasks.perform, "apply_async", lambda args, **options: handed.append((*args, options["queue"])))
    return handed


def text(answer):
    return " ".join(answer.content.decode().split())


def test_an_operator_sees_each_job_and_first_those_in_trouble(running_well, signed_in):
    Standing.objects.filter(job="read-document-copy").update(outcome="error", summary="The bucket is gone.")
    shown = text(signed_in("operator").get(PAGE))
    assert "1 of" in shown
    assert all(f"{PAGE}{job.name}/" in shown for job in JOBS)
    assert shown.index(f"{PAGE}read-document-copy/") < shown.index(f"{PAGE}{JOBS[0].name}/")


def test_silent_processes_are_said_in_words(db, signed_in):
    shown = text(signed_in("operator").get(PAGE))
    assert "The timetable (beat) is silent: no job is handed out. It was never heard." in shown


def test_the_page_of_a_job_shows_what_was_measured_beside_the_objective_and_its_runs(jobs, running_well, signed_in):
    Standing.objects.filter(job="backup-full").update(seconds=7920, summary="Saved 12 MB.")
    Run.objects.create(actor="timetable", command="backup database", job="backup-full", outcome="error", seconds=3,
                       summary="The disk is full.")  # fmt: skip
    shown = text(signed_in("operator").get(f"{PAGE}backup-full/"))
    for part in ("2.2 h", "at most 2 h", "Saved 12 MB.", "The disk is full.", "Run now"):
        assert part in shown, part


def test_an_operator_runs_a_job_now_on_its_own_queue_and_that_is_recorded(running_well, signed_in, trail, handed):
    browser = signed_in("operator")
    answer = browser.post(f"{PAGE}backup-full/", follow=True)
    assert "It was handed to its worker" in text(answer)
    assert handed == [("backup-full", "operator", "long")]
    [row] = trail(action="command")
    assert (row.actor, row.detail) == ("operator", "console: run backup-full")


@pytest.mark.parametrize(("name", "asked"), [("backup-retention", True), ("check-documents", False)])
def test_a_job_that_removes_something_asks_for_a_fresh_factor(running_well, signed_in, handed, name, asked):
    browser = signed_in("operator")
    session = browser.session
    session["account_authentication_methods"][0]["at"] -= 301
    session.save()
    answer = browser.post(f"{PAGE}{name}/")
    assert answer["Location"].startswith("/accounts/confirm/") is asked
    assert (handed == []) is asked


@pytest.mark.parametrize("role", ["auditor", "security-officer"])
def test_who_may_only_look_is_offered_no_button_and_refused(running_well, signed_in, handed, role):
    browser = signed_in(role)
    assert "Run now" not in text(browser.get(f"{PAGE}backup-full/"))
    assert browser.post(f"{PAGE}backup-full/").status_code == 403
    assert handed == []


def test_a_queue_that_does_not_answer_is_said(running_well, signed_in, monkeypatch):
    monkeypatch.setattr(app.amqp, "_producer_pool", pools.producers[app.connection_for_write("redis://127.0.0.1:1/0")])
    assert "The queue does not answer" in text(signed_in("operator").post(f"{PAGE}backup-full/", follow=True))


def test_a_job_that_is_not_there_is_not_found(running_well, signed_in):
    assert signed_in("operator").get(f"{PAGE}nonsense/").status_code == 404


def test_the_home_page_says_how_many_jobs_are_in_trouble(running_well, signed_in):
    browser = signed_in("operator")
    assert "On time" in text(browser.get("/admin/"))
    Standing.objects.filter(job="backup-full").update(outcome="problem")
    assert "1 job in trouble" in text(browser.get("/admin/"))


def test_a_run_by_a_person_carries_their_name(jobs, db):
    jobs("good")
    before = timezone.now()
    perform("good", "Casey Operator")
    assert (Run.objects.get(job="good").actor, Standing.objects.get(job="good").by) == ("Casey Operator",) * 2
    assert Standing.objects.get(job="good").begun >= before
