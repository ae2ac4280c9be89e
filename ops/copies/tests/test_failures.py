"""What can go wrong with the copy of the documents: one sentence, exit code 2, nothing lost, a rerun that finishes."""

import json
import os
import signal
import subprocess
import time

import pytest

from documents import storage
from ops.backup.place import place
from ops.backup.tests.test_failures import files_no_longer_than
from ops.copies import copying, rclone, stores
from ops.copies.tasks import documents
from ops.runs import Run


def test_a_place_that_is_not_there_is_said(archive, operate):
    archive.folder.rmdir()
    assert operate("backup", "documents").refuses("is not there; mount its disk, or create the directory")


def test_without_a_place_or_a_password_nothing_is_copied(archive, operate, settings):
    settings.BACKUP_DOCUMENTS_PASSWORD = ""
    assert operate("backup", "documents").refuses("HEALTHCARE_BACKUP_DOCUMENTS_PASSWORD is not set")
    settings.BACKUP_DOCUMENTS = ""
    assert operate("backup", "documents").refuses("HEALTHCARE_BACKUP_DOCUMENTS is not set")


def test_a_second_store_that_is_down_or_refuses_is_said(in_a_bucket, operate, settings):
    settings.BACKUP_S3_SECRET_KEY = "another-secret-key-of-length"
    assert operate("backup", "documents").refuses("refuses the credentials; correct HEALTHCARE_BACKUP_S3_ACCESS_KEY")
    settings.BACKUP_S3_ENDPOINT = "http://127.0.0.1:1"
    assert operate("backup", "documents").refuses("does not answer (EndpointConnectionError)")


def test_a_store_that_fails_in_the_middle_is_said(archive, operate, settings, monkeypatch):
    archive.add()

    def then(change):
        plan = copying.plan

        def planned(there):
            found = plan(there)
            there.environment.update(change)
            return found

        monkeypatch.setattr(copying, "plan", planned)
        ended = operate("backup", "documents")
        monkeypatch.undo()
        return ended

    refused = then({"RCLONE_CONFIG_BUCKETS_SECRET_ACCESS_KEY": "another"})
    assert refused.refuses("A store refused the credentials in the middle of the copy")


def test_a_document_store_that_is_down_is_said(archive, operate, monkeypatch):
    from healthrecords import objectstore

    nowhere = objectstore.connect(
        objectstore.application()._replace(endpoint="http://127.0.0.1:1"), connecting=1, reading=1
    )
    monkeypatch.setattr(storage, "client", lambda: nowhere)
    ended = operate("backup", "documents")
    monkeypatch.undo()
    assert ended.refuses("The document store does not answer")


def test_a_wrong_password_neither_copies_nor_reads(archive, operate, settings):
    archive.add()
    assert operate("backup", "documents").code == 0
    second = archive.add()
    settings.BACKUP_DOCUMENTS_PASSWORD = "another-correct-horse-battery-staple"
    for options in ([], ["--dry-run"], ["--type", "read"]):
        assert operate("backup", "documents", *options).refuses("was made with another password")
    assert second not in archive.copies()


def test_a_copy_whose_mark_is_gone_is_not_taken_for_a_new_one(archive, operate, settings):
    archive.add()
    operate("backup", "documents")
    (archive.folder / "key" / "check.bin").unlink()
    assert operate("backup", "documents").refuses("was made with another password")


def test_a_full_disk_is_foreseen(archive, operate, monkeypatch):
    archive.add()
    monkeypatch.setattr(copying, "_MARGIN", 1 << 60)
    for options in ([], ["--dry-run"]):
        assert operate("backup", "documents", *options).refuses("MB are needed; make room there")


def test_a_full_disk_met_midway_is_said_and_a_rerun_finishes(archive, operate):
    small, large = archive.add(), archive.add(os.urandom(3 << 20))
    operate("backup", "documents", "--dry-run")
    with files_no_longer_than(1 << 20):
        assert operate("backup", "documents").refuses("There is no room left where the documents are copied to")
    assert large not in archive.copies()
    assert operate("backup", "documents").code == 0
    assert archive.copies() == sorted([small, large])


def half(archive):
    """What is half written."""
    return list(archive.folder.glob("objects/*.partial.bin"))


def test_a_run_that_is_killed_is_followed_by_one_that_finishes(archive, operate, monkeypatch):
    """rclone dies with us, in the middle of an object, and leaves what is half written."""
    name = archive.add(os.urandom(16 << 20))
    if not (child := os.fork()):
        popen = subprocess.Popen

        def slow_then_dead(command, **options):
            started = popen([*command, "--bwlimit=1M"] if "copy" in command else command, **options)
            if "copy" in command:
                while started.poll() is None and not half(archive):
                    time.sleep(0.01)
                os.kill(os.getpid(), signal.SIGKILL)
            return started

        rclone.subprocess.Popen = slow_then_dead
        try:
            copying.copy("copy")
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    assert half(archive) == list(archive.folder.glob("objects/*"))
    assert operate("backup", "documents").code == 0
    assert archive.copies() == [name]


def test_an_object_that_cannot_be_read_is_named_and_the_others_are_copied(archive, operate):
    """Here it is one that the store gives to nobody without a key of its own."""
    sound, shut = archive.add(), archive.add()
    lock = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": os.urandom(32)}
    storage.client().put_object(Bucket=storage.settings.S3_BUCKET, Key=shut, Body=b"x", **lock)
    ended = operate("backup", "documents", "--type", "copy", "--json")
    assert (ended.code, json.loads(ended.out)["failed"], archive.copies()) == (1, [shut], [sound])
    assert f"1 object could not be copied, such as {shut}: " in json.loads(ended.out)["summary"]


def test_two_runs_at_once_do_not_meet(archive, operate):
    with place().locked(copying.LOCK):
        assert operate("backup", "documents").refuses(f"A document-copy runs already (process {os.getpid()})")


def test_a_job_that_the_queue_hands_out_twice_runs_once(archive):
    name = archive.add()
    with place().locked(copying.LOCK):
        documents("copy")
    documents("copy")
    documents("copy")
    runs = list(Run.objects.order_by("ended").values_list("outcome", "command", "data__copied"))
    assert runs == [("error", "backup documents", None), *(("good", "backup documents", n) for n in (1, 0))]
    assert archive.copies() == [name]


def test_no_secret_is_an_argument_or_in_a_message(archive, monkeypatch):
    seen = []
    popen = subprocess.Popen

    def noted(command, **options):
        seen.append(command)
        return popen(command, **options)

    monkeypatch.setattr(rclone.subprocess, "Popen", noted)
    archive.add()
    copying.copy("read")
    secrets = [stores.settings.BACKUP_DOCUMENTS_PASSWORD, stores.settings.S3_SECRET_KEY]
    secrets.append(rclone.obscured(stores.settings.BACKUP_DOCUMENTS_PASSWORD))
    assert seen
    assert not [part for command in seen for part in command if any(secret in part for secret in secrets)]


@pytest.mark.parametrize("said", ["not a line of JSON", "[1]"])
def test_whatever_rclone_says_is_understood(said):
    assert isinstance(rclone._parsed(said), dict)
