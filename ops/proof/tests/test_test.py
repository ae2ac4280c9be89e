"""`backup test` restores what the repository holds, finds what is wrong with it, and leaves nothing behind."""

import json
import os
import re
import signal
from pathlib import Path

import psutil
import pytest

from ops.backup.engine import PostgresTools
from ops.backup.place import place
from ops.backup.repository import repository
from ops.proof import comparing, proofs, proving
from ops.restore import checks, instance


@pytest.fixture
def receiving(site):
    """A site whose log is received; its database has no tables of records, so that what judges those has no part."""
    with site.kept_receiving():
        yield site


@pytest.fixture(autouse=True)
def plain(monkeypatch):
    monkeypatch.setattr(proving, "_records", lambda *_: iter(()))


def trial(operate):
    said = operate("backup", "test", "--json")
    return said.code, json.loads(said.out)


def nothing_is_left():
    assert not (place().root / "test").exists()
    assert not list(Path("/tmp").glob(f"{instance.SOCKETS}*/.s.PGSQL*"))  # noqa: S108
    assert not [each for each in psutil.process_iter(["cmdline"]) if str(place().root / "test") in str(each.info)]
    return True


def test_the_newest_chain_is_restored_measured_and_kept_as_proven(receiving, operate):
    receiving.back_up()
    receiving.mark(1)
    second = receiving.back_up("incremental")
    receiving.mark(2)
    code, found = trial(operate)
    assert (code, found["findings"]) == (0, []), found
    proof = proofs.newest(repository())
    assert (proof.backup, found["rows"]) == (second.id, 2)
    assert 0 < proof.seconds < 600
    assert 0 <= proof.age < 600
    assert proofs.proven(repository()).keys() == {second.id}
    assert nothing_is_left()


def test_a_copy_that_lacks_a_row_is_found(receiving, operate, monkeypatch):
    receiving.mark(1)
    receiving.back_up()
    recovered = proving.Recovery.recovered

    def lossy(self):
        copy = recovered(self)
        with copy.connect() as connection:
            connection.execute("DELETE FROM marker")
        return copy

    monkeypatch.setattr(proving.Recovery, "recovered", lossy)
    code, found = trial(operate)
    assert code == 1
    assert "The table public.marker has 0 rows in the copy, and had 1 to 1" in found["summary"]
    assert proofs.proven(repository()) == {}
    assert nothing_is_left()


def test_a_page_that_is_not_what_its_checksum_says_is_found(receiving, operate, monkeypatch):
    receiving.cluster.run("INSERT INTO filler SELECT n, repeat('x', 500) FROM generate_series(1, 2000) n")
    receiving.back_up()
    path = receiving.cluster.run("SELECT pg_relation_filepath('filler')")[0][0]
    stop = instance.Instance.stop

    def then_decay(self):
        stop(self)
        with (self.cluster / path).open("r+b") as file:
            file.seek(8192 + 4000)
            file.write(b"decay")

    monkeypatch.setattr(instance.Instance, "stop", then_decay)
    code, found = trial(operate)
    assert (code, len(found["findings"])) == (1, 1)
    assert "pg_checksums failed" in found["findings"][0]


def test_a_corrupt_object_ends_the_test_and_is_no_proof(receiving, operate):
    receiving.back_up()
    (base,) = receiving.cluster.repository.glob("backups/*/base.tar.zst.age")
    data = bytearray(base.read_bytes())
    data[len(data) // 2] ^= 1
    base.chmod(0o600)
    base.write_bytes(data)
    assert operate("backup", "test").refuses("base.tar.zst.age is damaged")
    assert proofs.proven(repository()) == {}
    assert nothing_is_left()


def test_a_log_that_does_not_arrive_is_said(site, operate, monkeypatch):
    site.back_up()
    monkeypatch.setattr(proving.prove, "__defaults__", (lambda _: None, lambda _: None, 0.0))
    code, found = trial(operate)
    assert code == 1
    assert "The log of this moment did not reach the repository" in found["summary"]
    assert nothing_is_left()


def test_the_dump_of_an_archive_is_loaded_once(receiving, operate, monkeypatch):
    receiving.mark(1)
    archive = receiving.back_up("archive")
    assert trial(operate)[1]["proof"]["dump"] == archive.id
    monkeypatch.setattr(proving.dumps, "_load", lambda *_: pytest.fail("loaded again"))
    receiving.back_up("incremental")
    assert trial(operate)[0] == 0


def test_a_dump_that_cannot_be_loaded_is_found(receiving, operate, monkeypatch):
    receiving.mark(1)
    dump = PostgresTools.dump

    def cut(self, file, watch):
        dump(self, file, watch)
        os.truncate(file, file.stat().st_size // 2)

    monkeypatch.setattr(PostgresTools, "dump", cut)
    archive = receiving.back_up("archive")
    code, found = trial(operate)
    assert code == 1
    assert f"The dump of {archive.id}: pg_restore failed" in found["summary"]


def test_the_copy_listens_to_nobody_and_what_a_crash_left_is_removed_by_the_next_test(receiving, monkeypatch):
    receiving.back_up()

    def die(copy):
        server = psutil.Process(copy._popen.pid)
        assert [each for each in server.net_connections("inet") if each.status == "LISTEN"] == []
        os.kill(os.getpid(), signal.SIGKILL)

    if not (child := os.fork()):
        monkeypatch.setattr(checks, "check", die)
        try:
            proving.prove()
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    assert (place().root / "test" / "cluster").is_dir()
    assert proving.prove().findings == []
    assert nothing_is_left()


def test_a_leftover_server_is_ended_and_another_process_of_its_number_is_not(site):
    folder = place().root / "test"
    cluster = folder / "cluster"
    cluster.mkdir(parents=True)
    (cluster / "postmaster.pid").write_text(f"{os.getpid()}\n{cluster}\n0\n5432\n/nowhere\n")
    with proving.scratch(place()) as empty:
        assert list(empty.iterdir()) == []


def test_two_tests_at_once_do_not_meet_and_the_queue_s_second_is_recorded(site, operate, db):
    from ops.proof.tasks import prove
    from ops.runs import TIMETABLE, Run

    site.back_up()
    with place().locked("test"):
        assert operate("backup", "test").refuses(f"A test runs already (process {os.getpid()})")
        prove()
    assert Run.objects.get(command="backup test", actor=TIMETABLE).outcome == "error"


def test_without_a_backup_or_the_key_there_is_no_test(site, operate, settings):
    assert operate("backup", "test").refuses("There is no complete backup in")
    site.back_up()
    settings.BACKUP_IDENTITY_FILE = ""
    assert operate("backup", "test").refuses("HEALTHCARE_BACKUP_IDENTITY_FILE is not set")


@pytest.mark.parametrize(
    ("before", "after", "copy", "whole"),
    [
        ((5, 1.0), (5, 1.0), (5, 1.0), True),
        ((5, 1.0), (5, 1.0), (4, 1.0), False),
        ((5, 1.0), (5, 1.0), (5, 0.5), False),
        ((5, 1.0), (9, 3.0), (7, 2.0), True),
        ((50, 1.0), (90, 3.0), (20, 2.0), False),
        ((50, 1.0), (90, 3.0), (200, 2.0), False),
    ],
)
def test_what_lies_between_the_counts_is_whole(before, after, copy, whole):
    counts = [{"t": comparing.Count(*each)} for each in (before, after, copy)]
    assert (list(comparing.differences(*counts)) == []) is whole
    assert re.match("The table t is missing", next(comparing.differences(*counts[:2], {})))
