"""schedule list, status and run, and what Prometheus reads."""

import json
import subprocess
import sys
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from healthrecords.embedded.datadir import CHECKOUT
from healthrecords.schedule import JOBS
from ops.runs import Run
from ops.schedule.models import Pulse, Standing
from ops.schedule.tests.conftest import own_environment


def test_list_shows_each_job_with_its_time_its_objective_and_its_next_turn(operate):
    ended = operate("schedule", "list", "--json")
    jobs = {each["job"]: each for each in json.loads(ended.out)["jobs"]}
    assert ended.code == 0
    assert jobs.keys() == {job.name for job in JOBS}
    full = jobs["backup-full"]
    assert (full["when"], full["queue"], full["objective"]) == ("daily at 02:00", "long", 7200)
    assert full["next"].endswith("T02:00:00Z")


def test_status_ends_with_1_where_beat_and_workers_were_never_heard(operate):
    ended = operate("schedule", "status", "--json")
    told = json.loads(ended.out)
    assert (ended.code, told["summary"]) == (1, "3 troubles: see the column of troubles.")
    assert {each["process"] for each in told["processes"] if each["silent"]} == {"beat", "worker celery", "worker long"}


def test_status_ends_with_0_where_all_is_well_and_names_the_job_that_failed(running_well, operate):
    assert operate("schedule", "status").code == 0
    Standing.objects.filter(job="backup-full").update(outcome="error", summary="The disk is full.")
    ended = operate("schedule", "status", "--json")
    jobs = {each["job"]: each for each in json.loads(ended.out)["jobs"]}
    assert ended.code == 1
    assert (jobs["backup-full"]["trouble"], jobs["backup-full"]["said"]) == ("error", "The disk is full.")


@pytest.mark.parametrize(
    ("task", "code", "said"),
    [
        ("good", 0, "good: done well"),
        ("finds", 1, "finds: Two faults were found."),
        ("fails", 2, "no such thing"),
    ],
)
def test_run_ends_as_the_job_ends_and_is_recorded_under_its_name(jobs, operate, task, code, said):
    jobs(task)
    ended = operate("schedule", "run", task)
    assert ended.code == code
    assert said in ended.out + ended.err
    assert Run.objects.filter(job=task).exists()
    assert Run.objects.filter(command="schedule run", job="").count() == 1


def test_run_finds_the_work_of_a_job_in_a_process_that_is_no_worker(db):
    ended = subprocess.run(
        [sys.executable, "manage.py", "schedule", "run", "expire-enrolment-links"],
        cwd=CHECKOUT, env=own_environment(), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "expire-enrolment-links: 0 links removed." in ended.stdout


def test_run_refuses_a_job_that_is_not_there_and_one_that_goes_on(sleeper, jobs, operate):
    assert "There is no job nonsense" in operate("schedule", "run", "nonsense").err
    jobs("sleeper")
    ended = operate("schedule", "run", "sleeper")
    assert (ended.code, ended.err.strip()) == (2, "A run of sleeper goes on already.")


def scraped(settings):
    """The samples of the timetable that /metrics answers, by name and label."""
    settings.METRICS_TOKEN = "t" * 40
    text = Client(headers={"Authorization": f"Bearer {settings.METRICS_TOKEN}"}).get("/metrics").content.decode()
    lines = [line for line in text.splitlines() if line.startswith("schedule_")]
    return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines}


def test_prometheus_reads_who_lives_and_how_each_job_stands(running_well, settings):
    now = timezone.now()
    Pulse.objects.filter(name="worker long").update(time=now - timedelta(seconds=400))
    Standing.objects.filter(job="seal-audit-trail").update(
        begun=now - timedelta(hours=1), since=now - timedelta(days=1)
    )
    Standing.objects.filter(job="backup-full").update(outcome="interrupted", succeeded=None)
    figures = scraped(settings)
    assert figures["schedule_beat_age_seconds"] <= 5
    assert 400 <= figures['schedule_worker_age_seconds{queue="long"}'] <= 410
    assert figures['schedule_job_overdue{job="seal-audit-trail"}'] == 1
    assert figures['schedule_job_overdue{job="backup-verify"}'] == 0
    assert figures['schedule_job_last_outcome{job="backup-full"}'] == 2
    assert figures['schedule_job_last_duration_seconds{job="backup-full"}'] == 0.2
    assert 'schedule_job_last_success_age_seconds{job="backup-full"}' not in figures
    assert figures['schedule_job_last_success_age_seconds{job="backup-verify"}'] <= 5
