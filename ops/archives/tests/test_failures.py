"""What can go wrong with an archive: one sentence, exit code 2, nothing left behind, nothing replaced."""

import os
import signal

import pytest

from ops.archives import taking
from ops.archives.entries import archives
from ops.backup.place import place
from ops.backup.repository import repository
from ops.backup.tests.test_failures import files_no_longer_than
from ops.restore import archives as restoring


def flip(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.chmod(0o600)
    path.write_bytes(data)


def test_without_an_offline_key_no_secret_is_sealed(vault, operate):
    vault.write("recipients", f"{vault.identities[0].to_public()}\n")
    assert operate("backup", "config").refuses("Every private key of backups is on this host")
    assert vault.objects("archives/*/*") == []


def test_a_repository_that_is_down_is_said(vault, operate):
    vault.repository.rmdir()
    for verb in ("config", "application"):
        assert operate("backup", verb).refuses("is not there; mount its disk")
        assert operate("restore", verb).refuses("is not there; mount its disk")


@pytest.mark.parametrize(("folder", "sentence"), [("", "HEALTHCARE_BACKUP_LOGS is not set"), ("/no", "is no folder")])
def test_without_a_folder_there_are_no_logs_to_keep(vault, operate, settings, folder, sentence):
    settings.BACKUP_LOGS = folder
    assert operate("backup", "logs").refuses(sentence)


def test_a_file_that_vanishes_or_cannot_be_read_ends_it_and_leaves_nothing(vault, operate, monkeypatch):
    contents = taking.contents

    def then_gone(kind, last):
        found = contents(kind, last)
        (vault.source / "deploy/start.sh").unlink()
        return found

    monkeypatch.setattr(taking, "contents", then_gone)
    assert operate("backup", "config").refuses("start.sh cannot be read (No such file or directory)")
    assert vault.objects("archives/*/*") == []


def test_a_full_disk_met_midway_leaves_nothing(vault, operate):
    vault.write("source/large.py", os.urandom(1 << 20).hex())
    with files_no_longer_than(1 << 16):
        assert operate("backup", "application").refuses("The disk of the repository")
    assert vault.objects("archives/*/*") == []


def test_two_runs_at_once_do_not_meet(vault, operate):
    with place().locked("config-archive"):
        assert operate("backup", "config").refuses("A config-archive runs already")


def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)


def killed(function):
    if not (child := os.fork()):
        try:
            function()
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL


def test_a_run_that_is_killed_is_followed_by_a_clean_one(vault, operate):
    def run():
        taking.add = die
        taking.take("application")

    killed(run)
    assert len(vault.objects("archives/*/*")) == 1
    assert archives(repository()).entries == ()
    assert operate("backup", "application").code == 0
    assert len(vault.objects("archives/*/*")) == 2


def test_an_unknown_archive_is_said(vault, operate):
    assert operate("restore", "config").refuses("There is no archive latest of the kind config; there is none at all.")
    operate("backup", "config")
    (entry,) = archives(repository()).entries
    assert operate("restore", "config", "config-1").refuses(
        f"no archive config-1 of the kind config; there is {entry.id}."
    )


def test_a_corrupt_object_and_a_corrupt_entry_are_never_restored(vault, operate):
    operate("backup", "application")
    (packed,) = vault.objects("archives/*/*.age")
    whole = packed.read_bytes()
    flip(packed)
    target = vault.folder / "back"
    assert operate("restore", "application", "--target", str(target)).refuses("is damaged")
    assert list(vault.folder.glob("back*")) == []
    packed.write_bytes(whole)
    flip(*vault.objects("archives/*/entry.json"))
    assert operate("restore", "application", "--target", str(target)).refuses("There is no archive latest")


def test_an_archive_whose_files_are_not_those_of_its_list_is_refused(vault, operate, monkeypatch):
    monkeypatch.setattr("ops.archives.packing.digest", lambda _: "another")
    operate("backup", "application")
    monkeypatch.undo()
    said = operate("restore", "application", "--target", str(vault.folder / "back"))
    assert said.refuses("its files are not those that were stored; nothing was put in place")


def test_a_wrong_and_a_missing_key_are_said(vault, operate, settings):
    vault.write("recipients", f"{vault.identities[1].to_public()}\n")
    operate("backup", "application")
    target = ("--target", str(vault.folder / "back"))
    said = operate("restore", "application", *target)
    assert said.refuses("was not sealed to the key in HEALTHCARE_BACKUP_IDENTITY_FILE")
    settings.BACKUP_IDENTITY_FILE = ""
    assert operate("restore", "application", *target).refuses("HEALTHCARE_BACKUP_IDENTITY_FILE is not set")


def test_a_full_disk_is_foreseen_by_a_restore(vault, operate, monkeypatch):
    operate("backup", "application")
    monkeypatch.setattr(restoring, "_MARGIN", 1 << 60)
    assert operate("restore", "application", "--target", str(vault.folder / "back")).refuses("MB are needed")


def test_a_restore_that_is_killed_is_followed_by_one_that_finishes(vault, operate):
    operate("backup", "application")
    target = vault.folder / "back"

    def run():
        restoring._verify = die
        restoring.restore(restoring.make("application", "latest", target))

    killed(run)
    assert not target.exists()
    assert operate("restore", "application", "--target", str(target)).code == 0
    assert [path.name for path in vault.folder.glob("back*")] == ["back"]
