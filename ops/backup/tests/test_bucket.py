"""A bucket as the repository: the store of `make run`, for real."""

import io
import os
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import boto3
import pytest
from botocore.exceptions import ClientError

from ops.backup.bucket import Bucket
from ops.backup.faults import BackupFault, Missing, RepositoryDown
from ops.backup.repository import repository
from ops.proof.retention import thin_out

LONG = 40 << 20  # bytes; three parts


@pytest.fixture
def prefix(settings):
    settings.BACKUP_REPOSITORY = f"s3://{settings.S3_BUCKET}/{uuid4()}"
    settings.BACKUP_S3_ENDPOINT = settings.S3_ENDPOINT
    settings.BACKUP_S3_ACCESS_KEY, settings.BACKUP_S3_SECRET_KEY = settings.S3_ACCESS_KEY, settings.S3_SECRET_KEY
    return settings.BACKUP_REPOSITORY


class Stream:
    """A source that cannot be sought, like what is sealed on the way."""

    def __init__(self, size):
        self.left = size

    def read(self, size=-1, /):
        size = self.left if size < 0 else min(size, self.left)
        self.left -= size
        return b"x" * size


def test_an_object_is_stored_listed_read_and_never_overwritten(prefix):
    target = repository()
    target.check()
    target.put("backups/a/base", Stream(LONG))
    assert [(each.name, each.size) for each in target.names("backups/")] == [("backups/a/base", LONG)]
    with target.get("backups/a/base") as source:
        assert source.read() == b"x" * LONG
    with pytest.raises(BackupFault, match="never overwritten"):
        target.put("backups/a/base", io.BytesIO(b"y"))
    target.replace("open/segment", io.BytesIO(b"1"))
    target.replace("open/segment", io.BytesIO(b"2"))
    with target.get("open/segment") as source:
        assert source.read() == b"2"


def test_an_upload_whose_source_fails_leaves_no_object(prefix):
    class Broken(Stream):
        def read(self, size=-1, /):
            if self.left < LONG // 2:
                raise BackupFault("The source failed.")
            return super().read(size)

    with pytest.raises(BackupFault, match="The source failed"):
        repository().put("backups/b/base", Broken(LONG))
    assert list(repository().names("backups/b/")) == []


def test_what_is_not_there_is_missing(prefix):
    with pytest.raises(Missing, match="backups/none is missing"), repository().get("backups/none"):
        pass


def test_a_store_that_is_down_refuses_or_has_no_such_bucket_is_said(prefix, settings):
    settings.BACKUP_S3_SECRET_KEY = "another-secret-key-of-length"
    with pytest.raises(RepositoryDown, match="refuses the credentials"):
        repository().check()
    settings.BACKUP_S3_SECRET_KEY = settings.S3_SECRET_KEY
    settings.BACKUP_REPOSITORY = "s3://nowhere/x"
    with pytest.raises(RepositoryDown, match=r"is not there; create the bucket|refuses the credentials"):
        repository().check()
    settings.BACKUP_S3_ENDPOINT = "http://127.0.0.1:1"
    with pytest.raises(RepositoryDown, match="does not answer"):
        repository().check()


def test_a_backup_in_a_bucket_is_restored(site, prefix):
    site.mark(1)
    site.back_up()
    site.mark(2)
    site.back_up("incremental")
    assert site.read(site.restore().folder) == [1, 2]


def test_objects_are_locked_where_the_bucket_can_and_the_open_segment_is_not(prefix, settings):
    store = boto3.client(
        "s3",
        endpoint_url=os.environ["HEALTHCARE_S3_ENDPOINT"],
        aws_access_key_id=settings.S3_ACCESS_KEY,
        aws_secret_access_key=settings.S3_SECRET_KEY,
        region_name="us-east-1",
    )
    bucket, site = "audit", str(uuid4())  # the one bucket of the local store that may have locks
    with suppress(store.exceptions.BucketAlreadyOwnedByYou, store.exceptions.BucketAlreadyExists):
        store.create_bucket(Bucket=bucket, ObjectLockEnabledForBucket=True)
    settings.BACKUP_REPOSITORY, settings.BACKUP_LOCK_DAYS = f"s3://{bucket}/{site}", 1
    repository().put("catalogue/a.json", io.BytesIO(b"{}"))
    repository().replace("open/segment", io.BytesIO(b"1"))
    held = store.head_object(Bucket=bucket, Key=f"{site}/catalogue/a.json")
    assert held["ObjectLockMode"] == "COMPLIANCE"
    assert "ObjectLockMode" not in store.head_object(Bucket=bucket, Key=f"{site}/open/segment")
    with pytest.raises(ClientError):
        store.delete_object(Bucket=bucket, Key=f"{site}/catalogue/a.json", VersionId=held["VersionId"])
    assert repository().locked_until("catalogue/a.json") == held["ObjectLockRetainUntilDate"]
    repository().replace("open/segment", io.BytesIO(b"2"))
    assert repository().locked_until("open/segment") is None
    repository().remove("open/segment")
    listed = store.list_object_versions(Bucket=bucket, Prefix=f"{site}/open/")
    assert not listed.get("Versions")
    assert not listed.get("DeleteMarkers")


def test_retention_leaves_a_chain_that_is_locked(site, prefix, settings, monkeypatch):
    settings.BACKUP_KEEP_DAILY, settings.BACKUP_KEEP_WEEKLY = 1, 0
    settings.BACKUP_KEEP_MONTHLY = settings.BACKUP_KEEP_YEARLY = 0
    first, _ = site.back_up(), site.back_up()
    until = datetime.now(UTC) + timedelta(days=1)
    monkeypatch.setattr(Bucket, "locked_until", lambda _, name: until if first.id in name else None)
    assert thin_out().locked == {first.id: until}
    monkeypatch.undo()
    assert [chain.id for chain in thin_out().going] == [first.id]
    assert not list(repository().names(f"backups/{first.id}/"))
