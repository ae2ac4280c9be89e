"""`documents check`: what does not fit together is found, and nothing else."""

from datetime import timedelta

import pytest

from documents import checking, storage
from documents.models import Content
from documents.sealing import CHUNK
from documents.tests.samples import PDF, noise

pytestmark = pytest.mark.usefixtures("at_once")


@pytest.fixture
def check(run):
    """Run `documents check`."""
    return lambda *options: run("check", *options)


def spoil(name, change):
    from django.conf import settings

    sealed = b"".join(storage.get(name))
    storage.client().put_object(Bucket=settings.S3_BUCKET, Key=name, Body=change(sealed))


def test_a_store_that_fits_is_good(uploader, check):
    uploader.new(PDF)
    uploader.new(noise(CHUNK * 2))
    code, said = check()
    assert (code, said["ok"], said["summary"][:20]) == (0, True, "2 contents looked at")


def test_an_object_without_row_is_found(uploader, check):
    uploader.new(PDF)
    name = storage.new_name()
    storage.put(name, [b"x"])
    code, said = check()
    assert (code, said["objects_without_row"]) == (1, [name])


def test_an_object_that_may_still_get_its_row_is_left_alone(monkeypatch, db, check):
    monkeypatch.setattr(checking, "UNDERWAY", timedelta(hours=1))
    storage.put(storage.new_name(), [b"x"])
    assert check()[0] == 0


@pytest.mark.parametrize("options", [[], ["--quick"]])
def test_a_row_without_object_is_found(uploader, options, check):
    path = uploader.new(PDF)
    uploader.new(PDF)
    storage.remove(Content.objects.earliest("created_at").object_name)
    code, said = check(*options)
    assert (code, said["contents_missing"], said["contents_different"]) == (1, [path], [])


def test_content_that_differs_is_found(uploader, check):
    path = uploader.new(PDF)
    spoil(Content.objects.get().object_name, lambda sealed: sealed[:-1] + bytes([sealed[-1] ^ 1]))
    assert check()[1]["contents_different"] == [path]
    assert check("--quick")[0] == 0  # the size is right


def test_content_of_another_size_is_found_without_reading_it(uploader, check):
    path = uploader.new(PDF)
    spoil(Content.objects.get().object_name, lambda sealed: sealed[:-1])
    assert check("--quick")[1]["contents_different"] == [path]


def test_an_upload_that_nobody_ended_is_found(db, check):
    from django.conf import settings

    name = storage.new_name()
    begun = storage.client().create_multipart_upload(Bucket=settings.S3_BUCKET, Key=name)
    assert check()[1]["unfinished_uploads"] == [name]
    storage.client().abort_multipart_upload(Bucket=settings.S3_BUCKET, Key=name, UploadId=begun["UploadId"])


def test_a_store_that_is_down_is_one_sentence(db, settings, check):
    there = settings.S3_ENDPOINT
    settings.S3_ENDPOINT = "http://127.0.0.1:1"
    storage.client.cache_clear()
    code, said = check()
    settings.S3_ENDPOINT = there
    storage.client.cache_clear()
    assert (code, said["summary"]) == (2, "The document store does not answer; try again shortly.")


def test_what_the_store_keeps_for_its_own_checks_is_no_document(uploader):
    uploader.new(PDF)
    storage.client().put_object(Bucket=storage.settings.S3_BUCKET, Key=".ready", Body=b"ready")
    names = set(dict(storage.sizes()))
    assert (Content.objects.get().object_name in names, ".ready" in names) == (True, False)
