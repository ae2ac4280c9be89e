"""Jobs of the tests, and processes that run on the tests' own database."""

import os
import subprocess
import sys
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from django.db import connection
from django.utils import timezone

from healthrecords.embedded.datadir import CHECKOUT
from healthrecords.schedule import HOUR, Job, daily
from ops.schedule import running, status
from ops.schedule.models import Pulse, Standing
from ops.schedule.tests import work

SLEEPER = """
import django; django.setup()
from ops.schedule import running
from ops.schedule.tests.conftest import job
running.BY_NAME["sleeper"] = job("sleeper", "sleeps")
running.perform("sleeper", message="first")
"""


def job(name, task, when=None, **more):
    """A daily job of an hour, unless said otherwise."""
    return Job(name, f"ops.schedule.tests.work.{task}", when or daily(2, 0), HOUR, HOUR, **more)


def own_environment(**more):
    """The surroundings of a process that works on the database of this test process."""
    urls = {name: value for name, value in os.environ.items() if name.startswith("HEALTHCARE_DATABASE")}
    name = f"/{connection.settings_dict['NAME']}"
    moved = {key: urlsplit(value)._replace(path=name).geturl() for key, value in urls.items()}
    return {**os.environ, **moved, "DJANGO_SETTINGS_MODULE": "healthrecords.settings", **more}


@pytest.fixture
def jobs(db, monkeypatch):
    """Take jobs into the timetable by what they do."""
    work.DONE.clear()

    def jobs(task, **more):
        made = job(task, task, **more)
        monkeypatch.setitem(running.BY_NAME, task, made)
        return made

    return jobs


@pytest.fixture
def sleeper(jobs):
    """A process in the middle of a run of the job `sleeper`."""
    process = subprocess.Popen(
        [sys.executable, "-c", SLEEPER], cwd=CHECKOUT, env=own_environment(), stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout.readline() == "asleep\n"
        yield process
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.fixture
def running_well(db):
    """Beat and both workers live for hours, and every job was run just now."""
    now = timezone.now()
    for name in status.process_names():
        Pulse.objects.create(name=name, time=now, steady=now - timedelta(hours=9))
    Standing.all_by_name()
    Standing.objects.update(begun=now, ended=now, succeeded=now, seconds=0.2, outcome="good", since=now)


def dead(process):
    """Kill a process as the kernel does when memory is short."""
    process.kill()
    process.wait()
