"""Children end with their parent, whatever ends it, and a later start meets none of them."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from healthrecords.embedded.datadir import CHECKOUT
from healthrecords.embedded.leftovers import end_leftovers, remove_stale_pid_file
from healthrecords.embedded.process import Program, refusal, spawn


def _program(*argv: str, **options) -> Program:
    return Program("sleeper", argv, {"PATH": os.environ["PATH"]}, Path("/"), **options)


@pytest.fixture
def sleeper(tmp_path):
    child = spawn(_program("sleep", "300"), tmp_path, tmp_path)
    yield child
    child.sweep()


def test_a_child_has_its_own_session_so_that_the_terminal_cannot_signal_it(sleeper):
    assert os.getsid(sleeper.popen.pid) == sleeper.popen.pid


def test_a_stopped_child_takes_its_own_children_along(tmp_path):
    child = spawn(_program("sh", "-c", "trap '' TERM; sleep 300 & sleep 300", patience=0.3), tmp_path, tmp_path)
    _until(lambda: len(psutil.Process(child.popen.pid).children()) == 2)
    family = psutil.Process(child.popen.pid).children()
    child.stop()
    _until(lambda: not any(each.is_running() and each.status() != psutil.STATUS_ZOMBIE for each in family))
    assert child.ending() == "signal 9"


def test_who_is_in_a_hurry_does_not_wait_for_a_child_that_takes_its_time(tmp_path):
    child = spawn(_program("sh", "-c", "trap '' TERM; echo on; while :; do sleep 1; done"), tmp_path, tmp_path)
    _until(lambda: child.log.read_text() == "on\n")
    child.stop(hurry=lambda: True)
    assert child.ending() == "signal 9"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the parent-death signal is Linux's")
def test_a_killed_parent_takes_its_children_along(tmp_path):
    script = (
        "import sys, time; from pathlib import Path; from healthrecords.embedded.process import *\n"
        f"child = spawn(Program('sleeper', ('sleep', '300'), {{'PATH': '/usr/bin:/bin'}}, Path('/')), "
        f"Path({str(tmp_path)!r}), Path({str(tmp_path)!r}))\n"
        "print(child.popen.pid, flush=True); time.sleep(300)"
    )
    parent = subprocess.Popen([sys.executable, "-c", script], cwd=CHECKOUT, stdout=subprocess.PIPE, text=True)
    child = psutil.Process(int(parent.stdout.readline()))
    parent.kill()
    parent.wait()
    _until(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE)


def test_a_later_start_ends_what_a_killed_one_left_running(sleeper, tmp_path):
    end_leftovers(tmp_path)
    assert not psutil.pid_exists(sleeper.popen.pid) or sleeper.popen.wait(1) == -signal.SIGTERM
    assert list(tmp_path.glob("*.pid")) == []


def test_a_process_that_got_the_number_of_an_old_child_is_left_alone(sleeper, tmp_path):
    (tmp_path / "sleeper.pid").write_text(f"{sleeper.popen.pid} 12345.0")
    end_leftovers(tmp_path)
    assert sleeper.alive


def test_the_pid_file_of_a_crashed_postgresql_does_not_stop_the_next_even_if_its_number_was_given_out_again(tmp_path):
    file = tmp_path / "postmaster.pid"
    file.write_text(f"{os.getpid()}\n/somewhere\n")
    assert not remove_stale_pid_file(tmp_path)
    assert not file.exists()


def test_the_pid_file_of_a_postgresql_that_runs_is_kept(tmp_path):
    running = next(each for each in psutil.process_iter(["name"]) if each.info["name"] == "postgres")
    file = tmp_path / "postmaster.pid"
    file.write_text(f"{running.pid}\n")
    assert remove_stale_pid_file(tmp_path)
    assert file.exists()


def _until(happened, seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


def test_a_refused_start_is_told_by_its_own_sentence(tmp_path):
    log = tmp_path / "gunicorn.log"
    log.write_text("Starting\nCannot start: an old reason.\nCannot start: A is wrong; do B.\nReason: could not boot.\n")
    assert refusal(log) == "Cannot start: A is wrong; do B."
    log.write_text("Starting\nout of memory\n")
    assert refusal(log) == ""
