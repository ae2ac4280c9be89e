"""A repository in an S3 bucket, under credentials of its own; with object lock where the bucket has it."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

from boto3.exceptions import Boto3Error
from boto3.s3.transfer import TransferConfig
from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings

from healthrecords import objectstore

from .faults import BackupFault, DiskFull, Missing, RepositoryDown
from .flow import Readable
from .repository import Stored

_PART = 16 * 1024 * 1024  # bytes; with S3's 10,000 parts an object may have 160 GB
_NO_BUCKET = {"NoSuchBucket"}


class Bucket:
    """Objects below a prefix of a bucket."""

    def __init__(self, bucket: str, prefix: str) -> None:
        self.bucket, self.prefix = bucket, f"{prefix}/" if prefix else ""
        self.address = f"s3://{bucket}/{prefix}"

    @cached_property
    def _client(self) -> Any:
        account = objectstore.Account(
            settings.BACKUP_S3_ENDPOINT or None, settings.BACKUP_S3_ACCESS_KEY, settings.BACKUP_S3_SECRET_KEY
        )
        return objectstore.connect(account, connecting=3, reading=30, attempts=2)

    @cached_property
    def _locks(self) -> bool:
        """Whether the bucket has object lock; a store that does not know the question has none."""
        try:
            found = self._client.get_object_lock_configuration(Bucket=self.bucket)
        except ClientError:
            return False
        return bool(found.get("ObjectLockConfiguration", {}).get("ObjectLockEnabled") == "Enabled")

    def check(self) -> None:
        """Raise RepositoryDown unless the bucket answers."""
        with self._told(self.address):
            self._client.head_bucket(Bucket=self.bucket)

    def put(self, name: str, content: Readable) -> None:
        """Store a new object, locked for HEALTHCARE_BACKUP_LOCK_DAYS where the bucket can."""
        if any(each.name == name for each in self.names(name)):
            raise BackupFault(f"{name} is in the repository already; objects are never overwritten.")
        lock: dict[str, Any] = {}
        if settings.BACKUP_LOCK_DAYS and self._locks:
            until = datetime.now(UTC) + timedelta(days=settings.BACKUP_LOCK_DAYS)
            lock = {"ObjectLockMode": "COMPLIANCE", "ObjectLockRetainUntilDate": until}
        self._upload(name, content, lock)

    def replace(self, name: str, content: Readable) -> None:
        """Store an object over another, never locked."""
        self._upload(name, content, {})

    def _upload(self, name: str, content: Readable, extra: dict[str, Any]) -> None:
        """Send a stream, in parts when it is long; where it ends in a fault, the parts are taken back."""
        config = TransferConfig(multipart_threshold=_PART, multipart_chunksize=_PART, max_concurrency=2)
        with self._told(name):
            self._client.upload_fileobj(content, self.bucket, self.prefix + name, ExtraArgs=extra, Config=config)

    @contextmanager
    def get(self, name: str) -> Iterator[Readable]:
        """Open an object."""
        with self._told(name):
            body = self._client.get_object(Bucket=self.bucket, Key=self.prefix + name)["Body"]
        with closing(body):
            yield _Body(body, self, name)

    def names(self, prefix: str) -> Iterator[Stored]:
        """List the objects."""
        pages = self._client.get_paginator("list_objects_v2")
        with self._told(prefix):
            for page in pages.paginate(Bucket=self.bucket, Prefix=self.prefix + prefix):
                for each in page.get("Contents", []):
                    name = each["Key"].removeprefix(self.prefix)
                    yield Stored(name, each["Size"], each["LastModified"].astimezone(UTC))

    def remove(self, name: str) -> None:
        """Remove an object; where the bucket keeps versions, all of them: else they would stay for good."""
        key = self.prefix + name
        with self._told(name):
            if self._locks:
                for version in list(self._versions(key)):
                    self._client.delete_object(Bucket=self.bucket, Key=key, VersionId=version)
            else:
                self._client.delete_object(Bucket=self.bucket, Key=key)

    def _versions(self, key: str) -> Iterator[str]:
        pages = self._client.get_paginator("list_object_versions").paginate(Bucket=self.bucket, Prefix=key)
        for page in pages:
            for each in [*page.get("Versions", []), *page.get("DeleteMarkers", [])]:
                if each["Key"] == key:
                    yield each["VersionId"]

    def locked_until(self, name: str) -> datetime | None:
        """Until when the bucket's object lock holds it; a legal hold has no end."""
        if not self._locks:
            return None
        with self._told(name):
            found = self._client.head_object(Bucket=self.bucket, Key=self.prefix + name)
        if found.get("ObjectLockLegalHoldStatus") == "ON":
            return datetime.max.replace(tzinfo=UTC)
        until: datetime | None = found.get("ObjectLockRetainUntilDate")
        return until if until and until > datetime.now(UTC) else None

    def free(self) -> None:
        """A bucket does not say."""
        return

    @contextmanager
    def _told(self, name: str) -> Iterator[None]:
        try:
            yield
        except ClientError as fault:
            raise self._refused(fault, name) from None
        except (BotoCoreError, Boto3Error, OSError) as fault:
            raise RepositoryDown(
                f"The repository {self.address} does not answer ({type(fault).__name__}); check "
                "HEALTHCARE_BACKUP_S3_ENDPOINT and the store."
            ) from None

    def _refused(self, fault: ClientError, name: str) -> BackupFault:
        answer = fault.response.get("Error", {})
        codes = {answer.get("Code", ""), str(fault.response.get("ResponseMetadata", {}).get("HTTPStatusCode", ""))}
        if codes & _NO_BUCKET or (codes & objectstore.MISSING and name == self.address):
            return RepositoryDown(f"The repository {self.address} is not there; create the bucket.")
        if codes & objectstore.MISSING:
            return Missing(f"{name} is missing in the repository {self.address}.")
        if codes & objectstore.CREDENTIALS:
            return RepositoryDown(
                f"The repository {self.address} refuses the credentials; correct HEALTHCARE_BACKUP_S3_ACCESS_KEY and "
                "HEALTHCARE_BACKUP_S3_SECRET_KEY."
            )
        if codes & objectstore.FULL or "space" in answer.get("Message", "").lower():
            return DiskFull(f"The repository {self.address} is full; make room there.")
        return RepositoryDown(f"The repository {self.address} met an error ({answer.get('Code', 'unknown')}).")


class _Body:
    """The stream of an object, with the store's faults as ours also in the middle."""

    def __init__(self, body: Any, bucket: Bucket, name: str) -> None:
        self._body, self._bucket, self._name = body, bucket, name

    def read(self, size: int = -1, /) -> bytes:
        with self._bucket._told(self._name):
            return bytes(self._body.read(size if size >= 0 else None))
