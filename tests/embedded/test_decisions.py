"""What the embedded start decides, without starting anything."""

import json
import os
import socket

import pytest

from healthrecords.embedded import datadir, process, programs
from healthrecords.embedded.datadir import default_data_dir, reachable_by_all
from healthrecords.embedded.faults import CannotStart, StopRequested
from healthrecords.embedded.ports import kept_ports, web_port
from healthrecords.embedded.restarts import after_crash
from healthrecords.embedded.signals import StopSignal


def test_a_process_that_keeps_crashing_waits_longer_each_time_up_to_half_a_minute():
    restart, waits = None, []
    for _ in range(8):
        restart = after_crash(restart, lived=1.0, now=100.0)
        waits.append(restart.wait)
    assert waits == [0.5, 1, 2, 4, 8, 16, 30, 30]


def test_a_process_that_ran_for_a_minute_is_forgiven():
    crashed_often = after_crash(after_crash(None, 1, 0), 1, 0)
    assert after_crash(crashed_often, lived=60.0, now=500.0).due == 500.5


def test_a_signal_that_make_passes_on_is_not_taken_for_impatience(monkeypatch):
    stop, clock = StopSignal(), iter([10.0, 10.1, 12.5])
    monkeypatch.setattr("healthrecords.embedded.signals.time.monotonic", lambda: next(clock))
    stop.receive()
    stop.receive()
    assert stop.requested
    assert not stop.hurry
    stop.receive()
    assert stop.hurry


def test_a_pause_ends_when_a_stop_is_asked_for():
    with pytest.raises(StopRequested):
        StopSignal(watch=lambda: True).pause(60)


@pytest.mark.parametrize("text", ["http", "0", "65536", "-1", "8000 "])
def test_a_port_that_is_no_port_is_refused(text):
    with pytest.raises(CannotStart, match="HEALTHCARE_PORT"):
        web_port(text)


def test_the_stores_keep_their_ports_unless_somebody_took_one(tmp_path):
    file = tmp_path / "ports.json"
    first = kept_ports(file, ("one", "two"))
    assert kept_ports(file, ("one", "two")) == first
    with socket.create_server(("127.0.0.1", first["one"])):
        moved = kept_ports(file, ("one", "two"))
    assert moved["one"] != first["one"]
    assert moved["two"] == first["two"]
    assert json.loads(file.read_text()) == moved


def test_a_directory_below_a_closed_one_is_out_of_reach_of_other_accounts(open_folder):
    inner = open_folder / "between" / "inner"
    inner.mkdir(parents=True)
    assert reachable_by_all(inner)
    inner.parent.chmod(0o700)
    assert not reachable_by_all(inner)


def test_root_keeps_the_data_of_a_closed_checkout_elsewhere_and_apart_from_other_checkouts(monkeypatch, tmp_path):
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(datadir, "reachable_by_all", lambda _: False)
    places = set()
    for name in ("one/healthrecords", "two/healthrecords"):
        monkeypatch.setattr(datadir, "CHECKOUT", tmp_path / name)
        places.add(default_data_dir())
    assert len(places) == 2
    assert all(place.is_relative_to("/var/lib/healthrecords") for place in places)


def test_anyone_else_keeps_the_data_in_the_checkout(monkeypatch, tmp_path):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(datadir, "CHECKOUT", tmp_path)
    assert default_data_dir() == tmp_path / "var"


def test_a_long_log_is_cut_and_its_content_kept_once(monkeypatch, tmp_path):
    monkeypatch.setattr(process, "LOG_LIMIT", 10)
    log = tmp_path / "gunicorn.log"
    with log.open("a") as writer:
        writer.write("old content, long\n")
        writer.flush()
        process.rotate(log)
        writer.write("new\n")
    assert log.read_text() == "new\n"
    assert (tmp_path / "gunicorn.1.log").read_text() == "old content, long\n"


def test_a_program_that_is_not_installed_is_named(monkeypatch):
    monkeypatch.setattr(programs, "PACKAGES", {"sh": "dash", "no-such-program": "nothing"})
    assert programs.missing_programs() == ["no-such-program"]
