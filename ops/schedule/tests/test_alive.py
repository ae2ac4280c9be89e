"""Beat, workers and the web server as they really run: each is killed, and somebody else notices in time."""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest
from django.utils import timezone

from compliance.audit import sealing
from healthrecords.embedded.datadir import CHECKOUT
from healthrecords.notify.models import Notice
from ops.schedule.apart import apart
from ops.schedule.models import Pulse, Standing, Trouble
from ops.schedule.tests.conftest import own_environment

SILENCE = 6  # seconds
CELERY = (str(Path(sys.executable).with_name("celery")), "-A", "healthrecords.celery")
WORKER = ("--without-gossip", "--without-mingle", "--concurrency=1")
PROGRAMS = {
    "beat": (*CELERY, "beat", "--pidfile="),
    "worker": (*CELERY, "worker", *WORKER),
    "worker-long": (*CELERY, "worker", "--queues=long", "--hostname=long@%h", *WORKER),
    "web": (str(Path(sys.executable).with_name("gunicorn")), "-c", "deploy/gunicorn.conf.py", "healthrecords.wsgi"),
}


class Site:
    """The processes of one server, on the database of this test process and on a queue of their own."""

    def __init__(self, folder):
        broker = urlsplit(os.environ["HEALTHCARE_BROKER_URL"])._replace(path=f"/{15 - _number()}").geturl()
        self.environment = own_environment(
            HEALTHCARE_BROKER_URL=broker,
            HEALTHCARE_SCHEDULE_SILENCE_SECONDS=str(SILENCE),
            HEALTHCARE_BIND=f"unix:{folder}/web.sock",
            HEALTHCARE_WEB_WORKERS="1",
            HEALTHCARE_TEMPORARY=str(folder),
        )
        self.folder, self.processes = folder, {}

    def start(self, name):
        with (self.folder / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                PROGRAMS[name], cwd=CHECKOUT, env=self.environment, stdout=log, stderr=log, start_new_session=True
            )

    def kill(self, name):
        """Kill a process and its children at once, as an out-of-memory kill of its container does."""
        with suppress(ProcessLookupError):
            os.killpg(self.processes[name].pid, signal.SIGKILL)
        self.processes[name].wait()

    def logs(self):
        return "\n".join(f"{log.name}: {log.read_text()[-2000:]}" for log in self.folder.glob("*.log"))

    def until(self, happened, seconds=150):
        deadline = time.monotonic() + seconds
        while not happened():
            assert time.monotonic() < deadline, self.logs()
            time.sleep(0.1)


def _number():
    return int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))


@pytest.fixture
def site(db, tmp_path):
    made = Site(tmp_path)
    yield made
    for name in made.processes:
        made.kill(name)


def silent():
    return set(Trouble.objects.filter(kind="silent").values_list("subject", flat=True))


def told(event):
    """Of whom an event was told."""
    return {name for notice in Notice.objects.filter(event=event) for name in notice.facts.values()}


@pytest.fixture
def no_sealing(db):
    """While this is open, whoever seals the trail waits."""
    with apart() as line:
        line.execute("SELECT pg_advisory_lock(%s)", [sealing._LOCK])
        yield line


def missed(*jobs):
    """Beat was stopped for a day, as far as these jobs know."""
    Standing.all_by_name()
    Standing.objects.filter(job__in=jobs).update(handed=timezone.now() - timedelta(days=1))


def test_who_is_killed_is_noticed_by_who_lives_and_a_missed_turn_is_made_up_for(site, no_sealing):
    missed("seal-audit-trail", "backup-publish")
    for name in PROGRAMS:
        site.start(name)
    site.until(lambda: Pulse.objects.count() == 3)
    site.until(lambda: Standing.objects.get(job="backup-publish").ended)

    # The sealer: the process of the pool that is in the middle of it.
    site.until(lambda: Standing.objects.get(job="seal-audit-trail").running)
    [sealer] = psutil.Process(site.processes["worker"].pid).children()
    sealer.kill()
    site.until(lambda: "seal-audit-trail" in told("schedule.interrupted"))
    no_sealing.close()

    killed = timezone.now()
    site.kill("beat")
    site.kill("worker-long")
    site.until(lambda: silent() >= {"beat", "worker-long"})
    site.until(lambda: Pulse.objects.get(name="worker celery").time > killed + timedelta(seconds=SILENCE))
    assert told("schedule.silent") >= {"beat", "worker-long"}

    missed("seal-audit-trail")
    site.start("beat")
    site.start("worker-long")
    site.until(lambda: told("schedule.over") >= {"beat", "worker-long", "seal-audit-trail"})
    assert Standing.objects.get(job="seal-audit-trail").outcome == "good"
