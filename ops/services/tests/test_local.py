"""The processes of an embedded start by its records, with real processes; their logs, scrubbed, without any store."""

import json
import os
import subprocess
import sys
import time

import psutil
import pytest
from django.core.management.base import CommandError

from healthrecords.embedded.datadir import CHECKOUT
from healthrecords.embedded.restarts import count_in
from ops.health.tests.conftest import free_port
from ops.services import local, remote


@pytest.fixture
def home(tmp_path):
    """A data directory, as a start leaves it."""
    for name in ("run", "logs"):
        (tmp_path / name).mkdir()
    return tmp_path


@pytest.fixture
def process(home):
    """A process that the supervisor knows by a name."""
    started = []

    def process(name):
        popen = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"])
        started.append(popen)
        created = psutil.Process(popen.pid).create_time()
        (home / "run" / f"{name}.pid").write_text(f"{popen.pid} {created}")
        return popen

    yield process
    for popen in started:
        popen.kill()
        popen.wait()


def found(home, name):
    (service,) = [each for each in local.services(home) if each.service == name]
    return service


def test_a_running_process_is_told_with_its_id_age_memory_and_restarts(home, process):
    popen = process("gunicorn")
    for _ in range(2):
        count_in(home / "run", "gunicorn")
    service = found(home, "gunicorn")
    assert (service.state, service.pid, service.restarts) == ("running", popen.pid, 2)
    assert service.memory > 1 << 20
    assert abs(service.since.timestamp() - time.time()) < 60


def test_a_process_that_ended_and_is_due_again_is_restarting(home, process):
    popen = process("worker")
    popen.kill()
    for _ in range(200):  # its parent has not looked yet: a zombie
        if psutil.Process(popen.pid).status() == psutil.STATUS_ZOMBIE:
            break
        time.sleep(0.01)
    assert found(home, "worker").state == "restarting"
    popen.wait()
    assert found(home, "worker").state == "restarting"


def test_another_process_with_the_same_id_is_not_taken_for_it(home):
    (home / "run" / "beat.pid").write_text(f"{os.getpid()} 1.0")
    assert found(home, "beat").state == "restarting"


def test_without_a_start_everything_is_stopped(home):
    assert {each.state for each in local.services(home)} == {"stopped"}


def test_the_last_lines_of_a_log_reach_into_the_part_that_was_rotated_away(home):
    (home / "logs" / "gunicorn.1.log").write_text("one\ntwo\n")
    (home / "logs" / "gunicorn.log").write_text("three\n")
    assert local.log(home, "gunicorn", 2) == ["two", "three"]


def test_a_log_is_scrubbed_once_more(home):
    (home / "logs" / "postgres.log").write_text("ERROR: duplicate\nDETAIL:  Key (name)=(Jansen) already exists.\n")
    assert "Jansen" not in str(local.log(home, "postgres", 10))


@pytest.mark.parametrize("name", ["nobody", "../secrets/passwords", "gunicorn.1"])
def test_a_name_without_a_log_is_refused_with_those_that_have_one(home, name):
    (home / "logs" / "gunicorn.log").touch()
    with pytest.raises(CommandError, match="there are gunicorn"):
        local.log(home, name, 10)


def run(home, *arguments):
    """Run the group as an operator does while no store runs; return exit code, stdout and stderr."""
    environment = {**os.environ, "HEALTHCARE_DATA_DIR": str(home)}
    done = subprocess.run(
        [sys.executable, "manage.py", "services", *arguments],
        cwd=CHECKOUT, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout, done.stderr


def test_the_commands_work_by_their_names(home, process):
    process("valkey")
    (home / "logs" / "valkey.log").write_text("one\ntwo\n")
    code, out, _ = run(home, "status", "--json")
    states = {each["service"]: each["state"] for each in json.loads(out)["services"]}
    assert (code, states["valkey"], states["postgres"]) == (1, "running", "stopped")
    assert run(home, "logs", "valkey", "--tail", "1")[:2] == (0, "two\n")
    code, _, err = run(home, "logs", "nobody")
    assert code == 2
    assert err == "There is no log of nobody; there are valkey.\n"


def test_services_elsewhere_are_asked_over_the_network(db, settings):
    settings.METRICS_ADDRESS = f"http://127.0.0.1:{free_port()}/metrics"
    states = {each.service: each.state for each in remote.services()}
    assert {name: states[name] for name in ("postgres", "redis", "minio", "web", "beat")} == {
        "postgres": "running", "redis": "running", "minio": "running",
        "web": "silent", "beat": "silent",
    }  # fmt: skip
