"""What can go wrong with a backup: one sentence, exit code 2, nothing left behind, nothing lost."""

import os
import re
import resource
import signal
from contextlib import contextmanager
from pathlib import Path

import pytest
from pyrage import x25519

from ops.backup import catalogue, taking
from ops.backup.engine import PostgresTools
from ops.backup.faults import BackupFault
from ops.backup.place import place
from ops.backup.repository import repository
from ops.backup.sealing import SUFFIX


def nothing_is_left(site):
    objects = [each.name for each in repository().names("backups/")]
    entries = catalogue.catalogue(repository()).entries
    assert set(objects) == {part.name for entry in entries for part in entry.parts}
    assert list(place().stage.iterdir()) == []
    return True


@contextmanager
def files_no_longer_than(size):
    """A disk that has room for so many bytes of one file."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_database_that_is_down_is_said(site, operate, settings):
    settings.BACKUP_DATABASE_URL = re.sub(r":\d+/", ":1/", settings.BACKUP_DATABASE_URL)
    assert operate("backup", "database").refuses("The database does not answer")


def test_a_wrong_password_is_said(site, operate, settings):
    settings.BACKUP_DATABASE_URL = (
        "postgres://healthrecords_backup:not-this-one@" + settings.BACKUP_DATABASE_URL.split("@")[1]
    )
    assert operate("backup", "database").refuses("The database refuses the backup role's password")


def test_a_repository_that_is_not_there_is_said(site, operate):
    site.cluster.repository.rmdir()
    assert operate("backup", "database").refuses("is not there; mount its disk, or create the directory")
    site.cluster.repository.mkdir()


@pytest.mark.parametrize(("text", "sentence"), [("", "names no recipient"), ("age1wrong\n", "is no age recipient")])
def test_without_a_good_recipient_nothing_is_sealed(site, operate, settings, text, sentence):
    settings.BACKUP_RECIPIENTS_FILE = str(site.cluster.folder / "none")
    (site.cluster.folder / "none").write_text(text)
    assert operate("backup", "database").refuses(sentence)
    assert nothing_is_left(site)


def test_a_full_disk_is_foreseen(site, operate, monkeypatch):
    monkeypatch.setattr(taking, "_MARGIN", 1 << 60)
    assert operate("backup", "database").refuses("MB free and this backup needs")
    assert operate("backup", "database", "--dry-run").refuses("MB free and this backup needs")


def test_a_full_disk_met_midway_leaves_nothing(site, operate):
    with files_no_longer_than(4 << 20):
        assert operate("backup", "database").refuses("The disk of the working directory is full")
    assert nothing_is_left(site)


def test_a_full_repository_met_midway_leaves_nothing(site, operate, monkeypatch):
    verify = PostgresTools.verify

    def then_full(self, folder):
        verify(self, folder)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, resource.RLIM_INFINITY))

    monkeypatch.setattr(PostgresTools, "verify", then_full)
    try:
        assert operate("backup", "database").refuses("The disk of the repository")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    monkeypatch.undo()
    assert nothing_is_left(site)


def test_a_server_of_another_major_version_is_refused(site, operate, monkeypatch):
    monkeypatch.setattr(taking, "client_major", lambda: 17)
    assert operate("backup", "database").refuses("The server is PostgreSQL 18 and the programs here are 17")


def test_two_runs_at_once_do_not_meet(site, operate):
    with place().locked("backup"):
        assert operate("backup", "database").refuses(f"A backup runs already (process {os.getpid()})")


def test_a_copy_that_does_not_verify_is_not_uploaded(site, operate, monkeypatch):
    full = PostgresTools.full

    def bad(self, folder, watch):
        span = full(self, folder, watch)
        with (folder / "base.tar").open("r+b") as file:
            file.seek(3 << 20)
            file.write(b"\xff" * 20000)
        return span

    monkeypatch.setattr(PostgresTools, "full", bad)
    assert operate("backup", "database").refuses("does not agree with its manifest")
    assert nothing_is_left(site)


def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)


STAGES = {
    "while it is copied": (PostgresTools, "full"),
    "before it is verified": (PostgresTools, "verify"),
    "before the first object": (taking, "sealed"),
    "before its entry": (catalogue, "add"),
    "after its entry": (taking.shutil, "copyfile"),
}


@pytest.mark.parametrize("stage", STAGES)
def test_a_run_that_is_killed_is_followed_by_a_clean_one(site, stage):
    if not (child := os.fork()):
        setattr(*STAGES[stage], die)
        try:
            taking.take("full")
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    entry = site.back_up()
    assert catalogue.catalogue(repository()).named(entry.id)
    assert nothing_is_left(site)


def test_a_job_that_the_queue_hands_out_twice_runs_once(site, db):
    from ops.backup.tasks import database
    from ops.runs import Run

    with place().locked("backup"):
        database("full")
    database("full")
    assert [(run.outcome, run.command) for run in Run.objects.order_by("ended")] == [
        ("error", "backup database --type full"),
        ("good", "backup database --type full"),
    ]
    assert len(catalogue.catalogue(repository()).entries) == 1


def test_an_incremental_backup_without_its_parent_s_manifest_becomes_a_full_one_and_says_why(site, operate):
    first = site.back_up()
    place().manifest(first.id).unlink()
    said = operate("backup", "database", "--type", "incremental")
    assert said.code == 0
    assert f"the manifest of {first.id} is not on this host" in said.out


def test_backups_in_the_same_moment_never_overwrite_each_other(site):
    entry = site.back_up()
    with pytest.raises(BackupFault, match="never overwritten"):
        catalogue.add(repository(), entry)


def test_whatever_leaves_this_host_is_sealed_to_every_recipient(site, settings):
    second = x25519.Identity.generate()
    with Path(settings.BACKUP_RECIPIENTS_FILE).open("a") as file:
        file.write(f"{second.to_public()}\n")
    try:
        site.mark(1)
        site.back_up()
        objects = list(site.cluster.repository.rglob(f"*{SUFFIX}"))
        assert objects
        assert all(each.read_bytes().startswith(b"age-encryption.org/v1\n-> X25519 ") for each in objects)
        (site.cluster.folder / "offline").write_text(f"{second}\n")
        (site.cluster.folder / "offline").chmod(0o600)
        settings.BACKUP_IDENTITY_FILE = str(site.cluster.folder / "offline")
        assert site.read(site.restore().folder) == [1]
    finally:
        Path(settings.BACKUP_RECIPIENTS_FILE).write_text(f"{site.cluster.identity.to_public()}\n")
