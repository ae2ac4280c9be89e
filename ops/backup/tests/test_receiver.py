"""The log is received all the time, reaches the repository, and a gap in it is never silent."""

import os
import shutil
import signal
import threading
from contextlib import suppress

import psycopg

from ops.backup import log, slot
from ops.backup.place import place
from ops.backup.tests.cluster import Cluster


def segments(site):
    return sorted(path.name[:24] for path in site.cluster.repository.glob("wal/*/*"))


def switch(site):
    with site.cluster.connect("postgres", "postgres") as connection:
        connection.execute("SELECT pg_switch_wal()")


def test_finished_segments_go_to_the_repository_and_leave_the_spool(site):
    with site.receiving() as caught_up:
        caught_up()
        for number in range(3):
            site.mark(number)
            switch(site)
        caught_up()
        site.receiver.turn()
        assert len(segments(site)) >= 3
        (spool,) = (site.cluster.work / "spool").iterdir()
        assert [path for path in spool.iterdir() if log.is_segment(path.name)] == []


def test_a_repository_that_is_down_keeps_the_segments_in_the_spool(site):
    with site.receiving() as caught_up:
        caught_up()
        away = site.cluster.folder / "away"
        site.cluster.repository.rename(away)
        site.mark(1)
        switch(site)
        for _ in range(20):
            site.receiver.turn()
        assert "is not there" in site.said[-1]
        assert not (site.cluster.folder / "repository").exists()
        away.rename(site.cluster.repository)
        caught_up()
        site.receiver.turn()
        assert site.said[-1] == "The log is received again."
        assert segments(site)


def test_a_receiver_that_crashes_is_started_again_and_misses_nothing(site):
    with site.receiving() as caught_up:
        caught_up()
        site.back_up()
        site.receiver.child.kill()
        site.mark(1)
        caught_up()
        assert site.read(site.restore().folder) == [1]


def test_a_lost_slot_is_found_and_a_full_backup_demanded(site):
    with site.receiving() as caught_up:
        caught_up()
        site.back_up()
    with site.cluster.connect("postgres", "postgres") as connection:
        connection.execute("ALTER SYSTEM SET max_slot_wal_keep_size = '16MB'")
        connection.execute("SELECT pg_reload_conf()")
        for _ in range(6):
            connection.execute("SELECT pg_logical_emit_message(false, 'x', 'x')")
            connection.execute("SELECT pg_switch_wal()")
        connection.execute("CHECKPOINT")
        connection.execute("ALTER SYSTEM RESET max_slot_wal_keep_size")
        connection.execute("SELECT pg_reload_conf()")
    assert slot.look().lost
    with site.receiving() as caught_up:
        caught_up()
        assert any("A full backup is needed" in line for line in site.said)
        assert not slot.look().lost
        site.mark(1)
        entry = site.back_up("incremental")
        assert entry.type == "full"
        assert not place().full_demanded.exists()
        site.mark(2)
        caught_up()
        assert site.read(site.restore().folder) == [1, 2]


def test_another_segment_of_the_same_name_is_never_written_over(site):
    with site.receiving() as caught_up:
        caught_up()
        site.mark(1)
        switch(site)
        caught_up()
        site.receiver.turn()
        (spool,) = (site.cluster.work / "spool").iterdir()
        name = segments(site)[-1]
        before = sorted(path.name for path in site.cluster.repository.glob("wal/*/*"))
        (spool / name).write_bytes(os.urandom(log.SEGMENT_BYTES))
        site.receiver.turn()
        assert f"The repository holds another {name}" in site.said[-1]
        assert sorted(path.name for path in site.cluster.repository.glob("wal/*/*")) == before
        assert (spool / name).exists()
        (spool / name).unlink()


def test_the_loss_of_the_database_loses_nothing_that_was_acknowledged_synchronously(settings, make_site):
    cluster = Cluster(synchronous_standby_names="healthrecords_receiver", fsync="on", synchronous_commit="local")
    try:
        cluster.start()
        site = make_site(cluster)
        settings.BACKUP_SYNCHRONOUS = True
        with site.receiving() as caught_up:
            caught_up()
            site.back_up()
            acknowledged = written_until_it_dies(site, caught_up)
        shutil.rmtree(cluster.postgres.cluster)
        recovered = site.read(site.restore().folder)
    finally:
        cluster.remove()
    assert len(acknowledged) > 20
    assert set(acknowledged) <= set(recovered)


def written_until_it_dies(site, caught_up):
    """Commit rows, each waiting for the receiver, until every process of the database is killed."""
    acknowledged, enough = [], threading.Event()

    def write():
        with site.cluster.connect() as connection:
            connection.execute("SET synchronous_commit = on")
            for number in range(100_000):
                connection.execute("INSERT INTO marker (n) VALUES (%s)", [number])
                acknowledged.append(number)
                if number == 100:
                    enough.set()

    writer = threading.Thread(target=lambda: _until_lost(write))
    writer.start()
    while not enough.wait(0.05):
        site.receiver.turn()
    server = site.cluster.supervisor.stores[0].popen
    os.killpg(server.pid, signal.SIGKILL)
    writer.join()
    return acknowledged


def _until_lost(write):
    with suppress(psycopg.OperationalError):
        write()
