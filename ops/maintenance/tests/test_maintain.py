"""Maintenance: indexes rebuilt under load, what was cut off cleaned up, dead rows gone, never beside a backup."""

import json
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from urllib.parse import urlsplit

import psycopg
import pytest
from django.conf import settings
from django.db import connections

from ops.backup.place import place
from ops.performance.tests.sessions import session, wait_until

HELD = (
    "SELECT FROM pg_stat_activity JOIN pg_locks USING (pid) "
    "WHERE locktype = 'advisory' AND datname = current_database()"
)
INVALID = "SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid"


@pytest.fixture(autouse=True)
def _own_place(settings, tmp_path):
    settings.BACKUP_WORK_DIR = tmp_path / "work"


@pytest.fixture
def few(monkeypatch):
    """Narrow a rebuild to one schema with three indexes."""
    with session() as owner, session("maintenance") as maintenance:
        owner.execute("CREATE SCHEMA few; CREATE TABLE few.things (id int PRIMARY KEY, a int, b text)")
        owner.execute("CREATE INDEX things_a ON few.things (a); CREATE INDEX things_b ON few.things (lower(b))")
        owner.execute("INSERT INTO few.things SELECT n, n % 7, 'thing ' || n FROM generate_series(1, 2000) n")
        owner.execute(f"GRANT USAGE ON SCHEMA few TO {maintenance.info.user}")
        monkeypatch.setattr("ops.maintenance.indexes.SCHEMAS", ["few"])
        monkeypatch.setattr("ops.maintenance.tables.SCHEMAS", ["few"])
        yield owner
        owner.execute("DROP SCHEMA few CASCADE")


@contextmanager
def asking(caller, path):
    """Requests in a row while the block runs; yields the list of their states."""
    stop, states = Event(), []

    def ask():
        try:
            while not stop.is_set():
                states.append(caller.get(path).status_code)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as pool:
        asked = [pool.submit(ask) for _ in range(2)]
        try:
            yield states
        finally:
            stop.set()
            for each in asked:
                each.result()


def test_every_index_is_rebuilt_while_requests_are_answered(integrator, operate):
    patient = integrator.create()["id"]
    with asking(integrator, f"Patient/{patient}") as states:
        before = len(states)
        ended = operate("maintain", "reindex", "--json")
    told = json.loads(ended.out)
    assert ended.code == 0, ended
    assert told["count"] == known_indexes()
    assert told["largest"][0]["before"] >= told["largest"][-1]["before"]
    assert not told["failed"]
    assert len(states) > before + 10
    assert set(states) == {200}


def known_indexes():
    """All of ours but the heads of partitioned ones."""
    with session() as owner:
        return owner.execute(
            "SELECT count(*) FROM pg_class WHERE relkind = 'i' "
            "AND relnamespace IN ('public'::regnamespace, 'audit'::regnamespace)"
        ).fetchone()[0]


def test_the_plan_of_a_rebuild_names_all_indexes_and_changes_none(db, operate):
    asked = "SELECT relfilenode FROM pg_class WHERE relname = 'patients_patient_pkey'"
    with session() as owner:
        before = owner.execute(asked).fetchone()
        told = json.loads(operate("maintain", "reindex", "--dry-run", "--json").out)
        assert owner.execute(asked).fetchone() == before
    assert told["count"] == known_indexes() > 100


def environment():
    """What makes a command work on this test's database."""
    found = dict(os.environ)
    for name, alias in (("DATABASE_URL", "default"), ("DATABASE_MAINTENANCE_URL", "maintenance")):
        url = urlsplit(found[f"HEALTHCARE_{name}"])
        found[f"HEALTHCARE_{name}"] = url._replace(path="/" + connections[alias].settings_dict["NAME"]).geturl()
    return found | {"HEALTHCARE_BACKUP_WORK_DIR": str(settings.BACKUP_WORK_DIR)}


def test_a_killed_rebuild_leaves_no_invalid_index_after_the_next(db, operate, few):
    code = "from ops.maintenance import indexes; indexes.SCHEMAS = ['few']; indexes.rebuild()"
    with session() as reader:
        reader.execute("BEGIN; SELECT count(*) FROM few.things")  # the rebuild waits for whoever read the table
        running = subprocess.Popen(
            [sys.executable, "-c", f"import django; django.setup(); {code}"], env=environment(), cwd=settings.BASE_DIR
        )
        try:
            wait_until(lambda: few.execute(INVALID).fetchall())
        finally:
            running.send_signal(signal.SIGKILL)
            running.wait()
        assert operate("maintain", "reindex").refuses("still at a maintenance that was begun before")
        wait_until(lambda: not few.execute(HELD).fetchall())
    left = [row[0] for row in few.execute(INVALID).fetchall()]
    ended = operate("maintain", "reindex", "--json")
    assert ended.code == 0, ended
    assert json.loads(ended.out)["leftovers"] == left != []
    assert few.execute(INVALID).fetchall() == []


def test_an_index_that_cannot_be_rebuilt_is_told_and_the_others_are_rebuilt(db, operate, few):
    few.execute("CREATE FUNCTION few.worse(int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT $1'")
    few.execute("CREATE INDEX things_worse ON few.things (few.worse(a))")
    few.execute(
        "CREATE OR REPLACE FUNCTION few.worse(int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT $1 / ($1 - 3)'"
    )
    ended = operate("maintain", "reindex", "--json")
    told = json.loads(ended.out)
    assert ended.code == 1
    assert [row["index"] for row in told["failed"]] == ["few.things_worse"]
    assert told["count"] == 3


def test_only_leftovers_can_be_dropped_by_the_role_that_maintains(db, few):
    with session("maintenance") as maintenance:
        oid = few.execute("SELECT 'few.things_a'::regclass::oid").fetchone()[0]
        assert maintenance.execute("SELECT drop_leftover_index(%s)", [oid]).fetchone() == (False,)
        for statement in ("SELECT * FROM few.things", "DROP INDEX few.things_a", "SELECT * FROM patients_patient"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                maintenance.execute(statement)


def test_vacuum_takes_dead_rows_away_and_says_what_keeps_them(db, operate, few, monkeypatch):
    monkeypatch.setattr("ops.maintenance.tables.MANY", 1000)
    few.execute("UPDATE few.things SET a = a + 1")
    with session() as reader:
        reader.execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1")
        few.execute("UPDATE few.things SET a = a + 1")
        held = operate("maintain", "vacuum", "--json")
        assert held.code == 1, held
        assert f"session {reader.info.backend_pid} of" in json.loads(held.out)["held"]
    freed = operate("maintain", "vacuum", "--json")
    assert freed.code == 0, freed
    assert json.loads(freed.out)["largest"][0]["dead_after"] == 0


def test_analyze_gives_the_planner_its_figures(db, operate, few):
    assert few.execute("SELECT reltuples FROM pg_class WHERE relname = 'things'").fetchone()[0] < 2000
    assert operate("maintain", "analyze").code == 0
    assert few.execute("SELECT reltuples FROM pg_class WHERE relname = 'things'").fetchone() == (2000,)


@pytest.mark.parametrize("work", ["reindex", "vacuum", "analyze"])
def test_nothing_is_maintained_during_a_backup(db, operate, work):
    with place().locked("backup"):
        assert operate("maintain", work).refuses("A backup runs already")


def test_nothing_is_maintained_while_another_host_copies_the_database(cluster, operate):
    url = cluster.postgres.url("healthrecords_backup", "database_backup")
    command = [str(cluster.postgres.programs / "pg_basebackup"), f"--dbname={url}", "--pgdata=-", "--format=tar"]
    with subprocess.Popen([*command, "--wal-method=none", "--checkpoint=fast", "--max-rate=32"],
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as copying:  # fmt: skip
        try:
            with cluster.connect("healthrecords_monitor", "database_monitor") as monitor:
                wait_until(lambda: monitor.execute("SELECT pid FROM pg_stat_progress_basebackup").fetchall())
            assert operate("maintain", "vacuum").refuses("A backup runs; try again")
        finally:
            copying.kill()
    wait_until(lambda: operate("maintain", "analyze").code == 0)


def test_a_backup_waits_for_its_turn_and_is_told_why(db):
    with place().locked("backup", "maintain vacuum"), pytest.raises(Exception, match="A maintain vacuum runs already"):
        place().locked("backup").__enter__()


def test_without_its_role_maintenance_says_which_setting_is_missing(db, operate, monkeypatch):
    for name in ("USER", "PASSWORD"):
        monkeypatch.setitem(connections["maintenance"].settings_dict, name, connections["default"].settings_dict[name])
    connections["maintenance"].close()
    assert operate("maintain", "vacuum").refuses("HEALTHCARE_DATABASE_MAINTENANCE_URL")


def test_a_database_that_is_down_is_one_sentence(db, operate, monkeypatch):
    connections["maintenance"].close()
    monkeypatch.setitem(connections["maintenance"].settings_dict, "PORT", 1)
    assert operate("maintain", "analyze").refuses("The database does not answer")


def test_the_timetable_leaves_a_run_with_its_outcome(db, few):
    from ops.maintenance.tasks import keep, reindex
    from ops.runs import Run

    keep("vacuum")
    reindex()
    assert {run.command: run.outcome for run in Run.objects.all()} == {
        "maintain vacuum": "good", "maintain reindex": "good",
    }  # fmt: skip
    assert Path(settings.BACKUP_WORK_DIR / "backup.lock").exists()
