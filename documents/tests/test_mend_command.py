"""`documents mend`: leftovers of uploads go, what may belong to a record stays, a second run changes nothing."""

from datetime import timedelta

import psycopg
import pytest
from django.conf import settings
from django.db import connections
from django.utils import timezone

from documents import checking, mending, storage, tasks
from documents.models import Content
from documents.tests.samples import PDF
from documents.tests.test_check_command import spoil
from ops.runs import Run

pytestmark = pytest.mark.usefixtures("at_once")
LONG_AGO = timedelta(seconds=-5)


@pytest.fixture
def old(monkeypatch):
    """Everything counts as old."""
    monkeypatch.setattr(mending, "UPLOADS_AFTER", LONG_AGO)
    monkeypatch.setattr("documents.management.commands.documents.timedelta", lambda **_: LONG_AGO)


@pytest.fixture
def leftovers(db):
    """The names of an object without row and of an upload that nobody ended."""
    stray, begun = storage.new_name(), storage.new_name()
    storage.put(stray, [b"x"])
    upload = storage.client().create_multipart_upload(Bucket=settings.S3_BUCKET, Key=begun)
    yield stray, begun
    storage.client().abort_multipart_upload(Bucket=settings.S3_BUCKET, Key=begun, UploadId=upload["UploadId"])


def test_leftovers_go_and_a_second_run_changes_nothing(run, uploader, leftovers, old):
    path, (stray, begun) = uploader.new(PDF), leftovers
    code, said = run("mend", "--dry-run")
    assert (code, said["remove"], said["abort"], said["dry_run"]) == (0, [stray], [begun], True)
    assert storage.size(stray)
    code, said = run("mend")
    assert (code, said["removed"], said["aborted"]) == (0, [stray], [begun])
    code, said = run("mend")
    assert (code, said["removed"], said["aborted"]) == (0, [], [])
    assert run("check")[0] == 0
    assert uploader.get(path).status_code == 200


def test_what_is_not_old_stays(run, leftovers):
    code, said = run("mend")
    assert (code, said["removed"], said["aborted"]) == (0, [], [])
    assert storage.size(leftovers[0])


def test_an_object_that_gets_its_row_in_the_meantime_stays(uploader, old, db):
    path = uploader.new(PDF)
    name = Content.objects.get().object_name
    done = mending.carry_out(mending.Plan(checking.Findings(), [name], []))
    assert (done.removed, uploader.get(path).status_code) == ([], 200)


def test_rows_without_their_content_are_told_and_kept(run, uploader, old):
    gone, changed = uploader.new(PDF), uploader.new(PDF * 2)
    first, second = Content.objects.order_by("size")
    storage.remove(first.object_name)
    spoil(second.object_name, lambda sealed: sealed[:-1])
    code, said = run("mend")
    assert (code, said["contents_missing"], said["contents_different"]) == (1, [gone], [changed])
    assert (said["removed"], Content.objects.count(), storage.size(second.object_name) > 0) == ([], 2, True)


def test_another_database_removes_nothing(run, old, monkeypatch, objects):
    monkeypatch.setattr(mending, "STRAYS", 1)
    for _ in range(2):
        storage.put(storage.new_name(), [b"x"])
    code, said = run("mend")
    assert (code, "not that of this store" in said["summary"], len(objects())) == (2, True, 2)


def test_what_the_store_locks_is_left(objects):
    name = storage.new_name()
    storage.put(name, [b"x"])
    storage.retain(name, timezone.now() + timedelta(days=1))
    done = mending.carry_out(mending.Plan(checking.Findings(), [name], []))
    assert (done.kept, done.removed) == ([name], [])
    assert objects() == [name]


def test_two_runs_at_once_are_one(run, db):
    with psycopg.connect(**connections["default"].get_connection_params() | {"cursor_factory": None}) as other:
        other.execute("SELECT pg_advisory_lock(%s)", [mending._LOCK])
        code, said = run("mend")
    assert (code, said["summary"]) == (2, "Another run mends the documents now; wait for its end.")


@pytest.mark.parametrize(("lost", "outcome"), [(False, "good"), (True, "problem")])
def test_each_night_s_check_leaves_its_record(uploader, lost, outcome):
    uploader.new(PDF)
    if lost:
        storage.remove(Content.objects.get().object_name)
    tasks.check()
    [record] = Run.objects.filter(command="documents check")
    assert (record.outcome, "1 content looked at" in record.summary) == (outcome, True)
