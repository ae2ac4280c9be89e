"""`restore database --from-dump`: an archive's dump in a new cluster, with its roles, rights and rows."""

import os
import signal

import pytest

from ops.backup.faults import BackupFault, Damaged
from ops.restore import reloading

OWNER = "SELECT pg_get_userbyid(relowner) FROM pg_class WHERE relname = 'marker'"
RIGHT = "SELECT has_table_privilege('healthrecords_app', 'marker', 'UPDATE')"


def archived(site, rows=3):
    for number in range(rows):
        site.mark(number)
    site.cluster.run("INSERT INTO filler SELECT n, 'text' || chr(10) || n FROM generate_series(1, 997) n")
    # What could be taken for a line of the dump's own.
    site.cluster.run("INSERT INTO filler VALUES (998, 'COPY x (y) FROM stdin;'), (999, E'\\\\.'), (1000, NULL)")
    site.cluster.run("GRANT UPDATE ON marker TO healthrecords_app")
    return site.back_up("archive")


def test_a_dump_comes_back_with_rows_rights_and_owners(site, operate):
    entry = archived(site)
    site.mark(99)
    folder = site.cluster.folder / "restored-dump"
    shown = operate("restore", "database", "latest", "--from-dump", "--target", str(folder), "--dry-run")
    assert (shown.code, f"its dump of {entry.finished}" in shown.out, folder.exists()) == (0, True, False)
    done = operate("restore", "database", "latest", "--from-dump", "--target", str(folder))
    assert done.code == 0, done.err
    assert site.read(folder) == [0, 1, 2]
    assert (site.read(folder, OWNER), site.read(folder, RIGHT)) == (["healthrecords_owner"], [True])
    assert site.read(folder, "SELECT count(*) FROM filler") == [1000]
    assert site.read(folder, "SELECT has_database_privilege('healthrecords_app', 'healthrecords', 'CONNECT')") == [True]


def test_the_version_of_the_server_that_was_dumped_does_not_matter(site, monkeypatch):
    """A dump of an older major version is loaded by the programs of this one."""
    archived(site)
    monkeypatch.setattr("ops.restore.recovering.client_major", lambda: 19)
    with pytest.raises(BackupFault, match="or restore an archive's dump with --from-dump"):
        site.restore()
    assert site.read(site.restore(dump=True).folder) == [0, 1, 2]


def test_a_dump_whose_rows_are_not_all_there_is_not_put_in_place(site, monkeypatch):
    archived(site)
    monkeypatch.setattr(reloading, "rows_of", lambda _: {"public.marker": 4})
    folder = site.cluster.folder / "restored-short"
    with pytest.raises(Damaged, match=r"public\.marker has 3 rows and the dump 4"):
        site.restore(folder=folder, dump=True)
    assert list(site.cluster.folder.glob("restored-short*")) == []


def test_what_has_no_dump_is_said(site, operate):
    entry = site.back_up()
    target = ("--target", str(site.cluster.folder / "restored-none"))
    for backup in ("latest", entry.id):
        assert operate("restore", "database", backup, "--from-dump", *target).refuses("Only an archive has a dump")
    dated = ("--to-time", "2026-01-01T00:00:00Z")
    assert operate("restore", "database", "latest", "--from-dump", *dated, *target).refuses("A dump is of one moment")


def test_a_dump_that_is_damaged_is_never_loaded(site, operate):
    archived(site)
    (dump,) = site.cluster.repository.glob("backups/*/database.dump.zst.age")
    data = bytearray(dump.read_bytes())
    data[len(data) // 2] ^= 1
    dump.chmod(0o600)
    dump.write_bytes(data)
    folder = site.cluster.folder / "restored-damaged"
    assert operate("restore", "database", "latest", "--from-dump", "--target", str(folder)).refuses("is damaged")
    assert list(site.cluster.folder.glob("restored-damaged*")) == []


def test_a_reload_that_is_killed_is_followed_by_a_clean_one(site):
    archived(site)
    folder = site.cluster.folder / "restored-killed"
    if not (child := os.fork()):
        reloading.compare = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
        try:
            site.restore(folder=folder, dump=True)
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    assert not folder.exists()
    assert site.read(site.restore(folder=folder, dump=True).folder) == [0, 1, 2]
