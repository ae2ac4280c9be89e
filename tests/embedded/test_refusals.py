"""A start that cannot work says why in one sentence, exits with 2 and starts nothing."""

import errno
import fcntl
import os
import shutil
import socket
import subprocess
from collections import namedtuple
from pathlib import Path

import pytest

from healthrecords.embedded import home, postgres
from healthrecords.embedded.datadir import CHECKOUT
from healthrecords.embedded.faults import CannotStart
from healthrecords.embedded.home import Home
from healthrecords.embedded.run import run
from healthrecords.embedded.signals import StopSignal
from healthrecords.embedded.supervisor import Supervisor


@pytest.fixture
def place(monkeypatch, open_folder):
    """A data directory that does not exist yet, and a free port; nothing may be started on it."""
    folder = open_folder / "data"
    monkeypatch.setenv("HEALTHCARE_DATA_DIR", str(folder))
    monkeypatch.setenv("HEALTHCARE_PORT", str(_free_port()))
    before = os.umask(0o022)
    yield folder
    os.umask(before)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def refused(place, monkeypatch, capfd):
    """Run, and return the one sentence of the refusal."""

    def sentence() -> str:
        started = []
        monkeypatch.setattr(Supervisor, "start_stores", lambda _, programs: started.extend(programs))
        assert run() == 2
        assert started == []
        err = capfd.readouterr().err
        assert err.count("\n") == 1
        return err

    return sentence


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


def test_a_port_in_use_is_refused(refused, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as other:
        monkeypatch.setenv("HEALTHCARE_PORT", str(other.getsockname()[1]))
        assert f"Port {other.getsockname()[1]} is in use" in refused()


def test_a_second_start_on_the_same_directory_is_refused_and_names_the_first(refused, place):
    Home(place).prepare()
    with (place / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lock.write("4711")
        lock.flush()
        assert "A server already runs on" in (sentence := refused())
        assert "4711" in sentence


def test_the_directory_of_another_account_is_refused(refused, place, monkeypatch):
    place.mkdir()
    monkeypatch.setattr(os, "geteuid", lambda: place.stat().st_uid + 1)
    assert "belongs to" in refused()


def test_a_directory_that_holds_something_else_is_refused_and_left_alone(refused, place):
    place.mkdir(mode=0o755)
    (place / "letters.txt").touch()
    assert "holds other files" in refused()
    assert [path.name for path in place.iterdir()] == ["letters.txt"]
    assert place.stat().st_mode & 0o777 == 0o755


@pytest.mark.parametrize("marker", ['{"layout": 99}', "not json", "{}"])
def test_the_directory_of_another_version_is_refused(refused, place, marker):
    place.mkdir()
    (place / "healthrecords.json").write_text(marker)
    assert "has layout" in refused()


def test_the_cluster_of_another_postgresql_is_refused(refused, place):
    Home(place).prepare()
    cluster = place / "postgres" / "cluster"
    cluster.mkdir(parents=True)
    (cluster / "PG_VERSION").write_text("15\n")
    assert "made by PostgreSQL 15, and this is PostgreSQL 18" in refused()


def test_programs_of_postgresql_that_are_not_there_are_refused(refused, monkeypatch, tmp_path):
    monkeypatch.setenv("HEALTHCARE_POSTGRES_BIN", str(tmp_path))
    assert "HEALTHCARE_POSTGRES_BIN" in refused()


def test_a_full_disk_is_refused(refused, monkeypatch):
    _fill_disk(monkeypatch, free=home.NEEDED - 1)
    assert "299 MB free and 300 MB are needed" in refused()


def test_a_disk_that_fills_up_during_the_start_is_one_sentence(refused, monkeypatch):
    def no_space(*_):
        _fill_disk(monkeypatch, free=0)
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(postgres.Postgres, "prepare", no_space)
    assert "0 MB free" in refused()


def test_a_start_does_not_wait_for_a_server_that_cannot_write(place, monkeypatch):
    Home(place).prepare()
    supervisor = Supervisor(Home(place), StopSignal(), print)
    _fill_disk(monkeypatch, free=home.EXHAUSTED - 1)
    with pytest.raises(CannotStart, match="MB free"):
        supervisor.wait_for("SeaweedFS", lambda: False, 60)


def test_folders_that_root_makes_leave_a_way_through_whatever_the_umask(place, monkeypatch):
    monkeypatch.setattr(home, "_mode", lambda: 0o711)
    os.umask(0o077)
    Home(place / "deeper").prepare()
    assert [path.stat().st_mode & 0o777 for path in (place, place / "deeper")] == [0o711, 0o711]


def test_an_interrupted_initialization_leaves_no_cluster_and_the_next_start_makes_one(place, monkeypatch):
    from healthrecords.embedded.stores import Stores

    Home(place).prepare()
    stores = Stores(Home(place), postgres.THROWAWAY)
    monkeypatch.setattr(postgres.Postgres, "_initdb", _die_midway)
    with pytest.raises(KeyboardInterrupt):
        stores.postgres.prepare()
    assert not stores.postgres.cluster.exists()
    assert not (place / "postgres" / "password").exists()
    monkeypatch.undo()
    stores.postgres.prepare()
    assert (stores.postgres.cluster / "PG_VERSION").read_text().strip() == "18"


def _die_midway(self, folder: Path, password: Path) -> None:
    folder.mkdir()
    (folder / "PG_VERSION").write_text("18\n")
    raise KeyboardInterrupt


def test_a_directory_that_the_database_account_cannot_reach_is_refused_to_root(refused, place, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(home, "reachable_by_all", lambda _: False)
    place.mkdir()
    monkeypatch.setattr(Path, "stat", _owned_by_root)
    assert "`nobody`" in refused()


def _owned_by_root(path: Path, **options: bool) -> os.stat_result:
    found = os.stat(path, **options)  # noqa: PTH116
    return os.stat_result((*found[:4], 0, *found[5:]))


def test_make_without_a_new_enough_python_says_so():
    done = subprocess.run(["make", "run", "PYTHON="], cwd=CHECKOUT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "needs Python 3.11 or newer" in done.stderr


def _fill_disk(monkeypatch, free: int) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr("healthrecords.embedded.home.shutil.disk_usage", lambda _: usage(2**40, 2**40 - free, free))
