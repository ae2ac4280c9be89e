"""The object store as a place: a bucket of its own, locked where the store can, each object created once."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import cache
from hashlib import md5
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings
from django.utils import timezone

from compliance.audit import heads
from compliance.audit.heads import Head
from compliance.audit.places import Differs, PlaceFault
from healthrecords import objectstore

LOCKED = timedelta(days=6 * 366)  # 45 CFR 164.316(b)(2): six years
_ABSENT = {"404", "NoSuchBucket"}
_UNLOCKED = {"ObjectLockConfigurationNotFoundError", "NoSuchObjectLockConfiguration", "NotImplemented"}
_TAKEN = {"PreconditionFailed", "412", "ConditionalRequestConflict"}


@cache
def client() -> Any:
    """The connection pool of this process."""
    return objectstore.connect(objectstore.application(), connecting=2, reading=10, attempts=2)


class Store:
    """One object for each statement. A lock of the store's keeps it from whoever holds its credentials."""

    name, at_most_every = "store", 0.0
    prefix = "statements/"

    def key(self, head: Head) -> str:
        """The name of a statement's object."""
        return self.prefix + head.name

    def put(self, statements: list[Head]) -> None:
        with _told():
            locks = _bucket()
            for head in statements:
                self._put(head, locks)

    def _put(self, head: Head, locks: bool) -> None:
        until = {"ObjectLockMode": "COMPLIANCE", "ObjectLockRetainUntilDate": timezone.now() + LOCKED}
        try:
            client().put_object(
                **self._at(head), Body=head.document(), IfNoneMatch="*", ContentType="application/json",
                **(until if locks else {}),
            )  # fmt: skip
        except ClientError as fault:
            if fault.response["Error"]["Code"] not in _TAKEN:
                raise
            if self._first(head) != head.document():
                raise Differs(f"The object store holds another statement {head.row.number}.") from None

    def held(self, statements: Iterable[Head]) -> Iterator[tuple[Head, bytes | None]]:
        """By one listing an epoch; an object is read only where its checksum is not the one that it should have."""
        wanted = list(statements)
        with _told():
            known = {
                key: tag for epoch in {head.row.epoch for head in wanted} for key, tag in self._listed(epoch, wanted)
            }
            for head in wanted:
                tag, document = known.get(self.key(head)), head.document()
                same = tag == md5(document, usedforsecurity=False).hexdigest()
                yield head, document if same else self._first(head) if tag else None

    def beyond(self, epoch: int, number: int) -> bool:
        with _told():
            last = self.prefix + heads.name(epoch, number)
            after = {"Prefix": self._folder(epoch), "StartAfter": last, "MaxKeys": 1}
            return bool(client().list_objects_v2(Bucket=settings.S3_AUDIT_BUCKET, **after).get("Contents"))

    def _folder(self, epoch: int) -> str:
        return f"{self.prefix}{epoch:04d}/"

    def _at(self, head: Head) -> dict[str, str]:
        return {"Bucket": settings.S3_AUDIT_BUCKET, "Key": self.key(head)}

    def _listed(self, epoch: int, wanted: list[Head]) -> Iterator[tuple[str, str]]:
        """The names of an epoch's objects from the first wanted to the last, with their checksums."""
        names = sorted(self.key(head) for head in wanted if head.row.epoch == epoch)
        where = {"Bucket": settings.S3_AUDIT_BUCKET, "Prefix": self._folder(epoch)}
        # Without its ending, the first name sorts before itself.
        for page in client().get_paginator("list_objects_v2").paginate(**where, StartAfter=names[0][:-5]):
            for each in page.get("Contents", []):
                if each["Key"] > names[-1]:
                    return
                yield each["Key"], each["ETag"].strip('"')

    def _first(self, head: Head) -> bytes:
        """The oldest version of an object: what somebody put over it does not count."""
        found = (
            client().list_object_versions(Bucket=settings.S3_AUDIT_BUCKET, Prefix=self.key(head)).get("Versions", [])
        )
        version = {"VersionId": found[-1]["VersionId"]} if found and found[-1]["VersionId"] != "null" else {}
        content: bytes = client().get_object(**self._at(head), **version)["Body"].read()
        return content


@cache
def _bucket() -> bool:
    """Make the bucket unless it is there; whether its objects can be locked."""
    bucket = settings.S3_AUDIT_BUCKET
    try:
        client().head_bucket(Bucket=bucket)
    except ClientError as fault:
        if fault.response["Error"]["Code"] not in _ABSENT:
            raise
        objectstore.make_bucket(client(), bucket)
    try:
        found = client().get_object_lock_configuration(Bucket=bucket)["ObjectLockConfiguration"]
    except ClientError as fault:
        if fault.response["Error"]["Code"] not in _UNLOCKED:
            raise
        return False
    return bool(found.get("ObjectLockEnabled") == "Enabled")


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except (BotoCoreError, ClientError) as fault:
        raise PlaceFault(f"The object store did not do its part ({fault}).") from None
