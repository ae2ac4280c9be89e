"""What can go wrong with a restore: one sentence, exit code 2, nothing in place, nothing removed."""

import os
import random
import shutil
import signal
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pyrage import x25519

from ops.backup import catalogue as books
from ops.backup import log
from ops.backup.engine import PostgresTools
from ops.backup.faults import BackupFault, Damaged, DiskFull
from ops.backup.place import place
from ops.backup.points import make
from ops.backup.repository import repository
from ops.backup.sealing import identities
from ops.restore import fetching, recovering, restoring
from ops.restore.fetching import Source
from ops.restore.journal import journal

SPOT = random.Random(9)


@pytest.fixture
def into(site):
    return site.cluster.folder / "restored-here"


@pytest.fixture
def refuses(operate, into):
    """`restore database …` into a new directory is refused with this sentence, and nothing is there afterwards."""

    def refuses(sentence, *arguments, backup="latest"):
        operated = operate("restore", "database", backup, "--target", str(into), *arguments)
        left = [path.name for path in into.parent.iterdir() if path.name.startswith(into.name)]
        return operated.refuses(sentence) and left == []

    return refuses


def flip(path, position=None):
    """Change one byte of a file."""
    data = bytearray(path.read_bytes())
    at = SPOT.randrange(len(data)) if position is None else position
    data[at] ^= 1 << SPOT.randrange(8)
    path.chmod(0o600)
    path.write_bytes(data)


def objects(site, pattern):
    return sorted(site.cluster.repository.glob(pattern))


def test_without_a_backup_nothing_is_restored(refuses):
    assert refuses("There is no complete backup in")


def test_an_unknown_backup_and_an_unknown_point_are_said(site, refuses):
    entry = site.back_up()
    make("known")
    assert refuses("There is no backup full-1", backup="full-1")
    assert refuses("There is no recovery point other; there is known.", "--to-point", "other")
    assert entry


def test_a_corrupt_object_is_never_restored(site, refuses):
    site.back_up()
    (base,) = objects(site, "backups/*/base.tar.zst.age")
    flip(base, base.stat().st_size // 2)
    assert refuses("base.tar.zst.age is damaged")


def test_a_damaged_entry_is_named_and_not_used(site, operate, refuses):
    entry = site.back_up()
    (file,) = objects(site, "catalogue/*.json")
    flip(file)
    assert refuses("There is no complete backup in")
    said = operate("backup", "list")
    assert (said.code, f"catalogue/{entry.id}.json is damaged" in said.out) == (1, True)


def test_a_missing_parent_is_said(site, refuses):
    first = site.back_up()
    second = site.back_up("incremental")
    (site.cluster.repository / f"catalogue/{first.id}.json").unlink()
    assert refuses(f"{second.id} cannot be restored: its link {first.id} is missing")


def test_a_missing_object_is_said(site, refuses):
    site.back_up()
    objects(site, "backups/*/base.tar.zst.age")[0].unlink()
    assert refuses("base.tar.zst.age is missing in the repository")


def logged(site, caught_up, *numbers):
    """Commit rows, each in a segment of its own."""
    for number in numbers:
        site.mark(number)
        with site.cluster.connect("postgres", "postgres") as connection:
            connection.execute("SELECT pg_switch_wal()")
    caught_up()


def test_a_missing_segment_is_said_and_what_comes_before_it_can_be_had(site, refuses, operate, into):
    with site.receiving() as caught_up:
        caught_up()
        site.back_up()
        logged(site, caught_up, 1, 2, 3)
    segments = objects(site, "wal/*/*")
    segments[-2].unlink()
    assert refuses(f"Segment {segments[-2].name[:24]} of the log is missing")
    assert operate("restore", "database", "latest", "--target", str(into), "--accept-gap").code == 0
    assert site.read(into) in ([1], [1, 2])


def test_a_corrupt_segment_is_never_replayed(site, refuses):
    with site.receiving() as caught_up:
        caught_up()
        site.back_up()
        logged(site, caught_up, 1, 2)
    flip(objects(site, "wal/*/*")[-1])
    assert refuses("is damaged")


def test_a_moment_outside_the_range_is_refused_with_the_range(site, refuses):
    with site.receiving() as caught_up:
        caught_up()
        site.back_up()
        caught_up()
    early, late = "2020-01-01T00:00:00Z", (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    begin = datetime.now(UTC).strftime("%Y-%m-%d")
    assert refuses(f"what can be restored begins at {begin}", "--to-time", early)
    assert refuses(f"what can be restored is {begin}", "--to-time", late)
    assert refuses("is no time with its zone", "--to-time", "2026-01-01 10:00")


def test_a_wrong_a_missing_and_an_open_key_are_said(site, refuses, settings, tmp_path):
    site.back_up()
    key = tmp_path / "identity"
    key.write_text(f"{x25519.Identity.generate()}\n")
    key.chmod(0o600)
    settings.BACKUP_IDENTITY_FILE = str(key)
    assert refuses("was not sealed to the key in HEALTHCARE_BACKUP_IDENTITY_FILE")
    key.chmod(0o644)
    assert refuses("holds a private key and others may read it")
    settings.BACKUP_IDENTITY_FILE = str(tmp_path / "none")
    assert refuses("cannot be read")
    settings.BACKUP_IDENTITY_FILE = ""
    assert refuses("HEALTHCARE_BACKUP_IDENTITY_FILE is not set")


def test_a_repository_that_is_down_is_said(site, refuses):
    site.cluster.repository.rmdir()
    assert refuses("is not there; mount its disk")
    site.cluster.repository.mkdir()


def test_a_backup_of_another_major_version_is_refused(site, refuses, monkeypatch):
    site.back_up()
    monkeypatch.setattr(recovering, "client_major", lambda: 17)
    assert refuses("was made by PostgreSQL 18 and the programs here are 17")


def test_a_running_server_is_never_restored_over(site, operate):
    site.back_up()
    said = operate("restore", "database", "latest", "--target", str(site.cluster.postgres.cluster))
    assert said.refuses("A server runs on")
    site.mark(1)


def test_a_directory_that_is_not_empty_is_left_alone(site, operate, into):
    site.back_up()
    into.mkdir()
    (into / "mine").write_text("here")
    assert operate("restore", "database", "latest", "--target", str(into)).refuses("is not empty")
    assert (into / "mine").read_text() == "here"


def test_two_restores_at_once_do_not_meet(site, refuses):
    site.back_up()
    with place().locked("restore"):
        assert refuses("A restore runs already")


def test_a_full_disk_is_foreseen(site, into):
    site.back_up()
    plan = site.plan(into)
    with pytest.raises(DiskFull, match="are needed"):
        site.carry_out(replace(plan, needed=1 << 60))
    assert not into.exists()


def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.parametrize("stage", [(fetching, "link"), (PostgresTools, "verify"), (restoring, "_flush")])
def test_a_restore_that_is_killed_is_followed_by_a_clean_one(site, into, stage):
    site.mark(1)
    site.back_up()
    if not (child := os.fork()):
        setattr(*stage, die)
        try:
            site.restore(folder=into)
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    assert not into.exists()
    assert site.read(site.restore(folder=into).folder) == [1]
    assert [line["event"] for line in journal(place()).lines()][-1] == "done"
    assert not list(into.parent.glob("restored-here.*"))


def test_every_byte_that_changes_in_the_repository_is_found(site):
    with site.receiving() as caught_up:
        caught_up()
        site.back_up()
        site.mark(1)
        site.back_up("incremental")
        make("point")
        caught_up()
    files = [path for path in site.cluster.repository.rglob("*") if path.is_file()]
    assert read_all(site) == []
    for _ in range(50):
        path = SPOT.choice(files)
        before = path.read_bytes()
        flip(path)
        assert read_all(site, path) != [], path
        path.write_bytes(before)
    assert read_all(site) == []


def read_all(site, only=None):
    """Read what a restore reads, as it reads it (or one file of it); return what was found damaged."""
    target, found = repository(), []
    source = Source(target, identities(site.cluster.folder / "identity"))
    known = books.catalogue(target)
    found += known.damaged
    steps = [(site.cluster.repository / part.name, read_part, part) for entry in known.entries for part in entry.parts]
    if not known.damaged:
        there = log.log_of(target, known.entries[0].system, Path("/nowhere")) if horizon_is_good(found, known) else None
        steps += (
            [(site.cluster.repository / piece.stored.name, read_piece, piece) for piece in there.pieces.values()]
            if there
            else []
        )
    steps.append((site.cluster.repository / "points/point.json", lambda *_: books.points(target), None))
    for path, read, what in steps:
        if only is None or path == only:
            try:
                read(source, what, site.cluster.folder)
            except BackupFault as fault:
                found.append(str(fault))
    return found


def horizon_is_good(found, known):
    try:
        log.log_of(repository(), known.entries[0].system, Path("/nowhere"))
    except Damaged as fault:
        found.append(str(fault))
        return False
    return True


def read_part(source, part, _):
    with source.part(part) as content:
        while content.read(1 << 20):
            pass


def read_piece(source, piece, folder):
    scratch = folder / "restored-piece"
    scratch.mkdir(exist_ok=True)
    try:
        source.fetch(piece, scratch)
    finally:
        shutil.rmtree(scratch)
