"""The S3 store: sealed objects in and out as streams, never whole in memory; its failures as one clear sentence.

An upload that does not end well leaves nothing: parts are aborted. Failures of the store itself become
StoreFault; what the sender's stream raises is passed on.
"""

import logging
import re
import secrets
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from functools import cache
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from botocore.handlers import add_expect_header
from django.conf import settings

from healthrecords import objectstore
from healthrecords.fhir.outcome import FHIRError

log = logging.getLogger(__name__)

PART = 5 * 1024 * 1024  # bytes; the least that S3 takes as a part of an upload
PATIENCE = 0.4, 1.5  # seconds to connect, and between two signs of life: a failure is told within two
_DOCUMENT = re.compile(r"[0-9a-f]{40}")
_FULL = objectstore.FULL | {"EntityTooLarge"}
_WITHOUT_LOCK = {"ObjectLockConfigurationNotFoundError", "NotImplemented", "MethodNotAllowed", "404", "501"}


class StoreFault(FHIRError):
    """The store did not do its part: a 503, or 500 for an object that is gone."""


class Missing(StoreFault):
    """The object is not there, though it should be."""


class Locked(StoreFault):
    """The store keeps the object by its lock."""


def new_name() -> str:
    """The name of a new object: random, so that it says nothing about anybody."""
    return secrets.token_hex(20)


@cache
def client() -> Any:
    """The connection pool of this process."""
    connecting, reading = PATIENCE
    made = objectstore.connect(
        objectstore.application(),
        connecting=connecting,
        reading=reading,
        max_pool_connections=32,
        request_checksum_calculation="when_required",  # each chunk carries its own, keyed
        response_checksum_validation="when_required",
    )
    # An upload would wait a second for a leave to begin, on top of its patience.
    made.meta.events.unregister("before-call.s3", add_expect_header)
    return made


def is_document(name: str) -> bool:
    """Whether an object has the name of a document's content: the store also holds what its own checks leave there."""
    return bool(_DOCUMENT.fullmatch(name))


def put(name: str, sealed: Iterable[bytes]) -> None:
    """Store a stream under a new name, in parts when it is long; raise StoreFault."""
    parts = _parts(sealed)
    first, last = next(parts)
    if last:
        with _told():
            client().put_object(**_at(name), Body=first)
    else:
        _put_parts(name, first, parts)


def get(name: str, begin: int = 0, end: int | None = None) -> Iterator[bytes]:
    """Yield an object, or its bytes from `begin` to before `end`; raise StoreFault, also in the middle."""
    wanted = {} if end is None else {"Range": f"bytes={begin}-{end - 1}"}
    with _told():
        body = client().get_object(**_at(name), **wanted)["Body"]
    with closing(body):
        yield from _read(body)


def remove(name: str, unlock: bool = False) -> None:
    """Remove an object with all its versions; one that is not there is no fault. Raise Locked, StoreFault.

    `unlock` is for an object whose record never came about: it goes in spite of a lock.
    """
    with _told():
        if not locks():
            client().delete_object(**_at(name))
            return
        for version in _versions(name):
            if unlock:
                client().put_object_legal_hold(**_at(name), VersionId=version, LegalHold={"Status": "OFF"})
            _remove_version(name, version, {"BypassGovernanceRetention": True} if unlock else {})


def locks() -> bool:
    """Whether the bucket was made with object lock, which never changes; raise StoreFault."""
    return _locks(settings.S3_BUCKET)


@cache
def _locks(bucket: str) -> bool:
    try:
        found = client().get_object_lock_configuration(Bucket=bucket)["ObjectLockConfiguration"]
    except ClientError as fault:
        if fault.response.get("Error", {}).get("Code") in _WITHOUT_LOCK:
            return False
        raise _refused(fault) from fault
    except (BotoCoreError, OSError) as fault:
        raise _silent() from fault
    return bool(found.get("ObjectLockEnabled") == "Enabled")


def hold(name: str, held: bool) -> None:
    """Have the store keep an object whoever asks to remove it, or no longer; for a bucket with object lock.

    Raises Missing where there is none.
    """
    _head(name)  # SeaweedFS meets an internal error at what is not there
    with _told():
        client().put_object_legal_hold(**_at(name), LegalHold={"Status": "ON" if held else "OFF"})


def retain(name: str, until: datetime) -> None:
    """Have the store keep an object until a time, unless it keeps it longer already; for a bucket with object lock.

    Raises Missing where there is none. The mode is governance: to remove the object earlier takes a right and a word
    of their own, yet content of the wrong person need not stay for decades.
    """
    present = _head(name).get("ObjectLockRetainUntilDate")
    if present is None or present < until.replace(microsecond=0):
        with _told():
            lock = {"Mode": "GOVERNANCE", "RetainUntilDate": until}
            client().put_object_retention(**_at(name), Retention=lock)


def size(name: str) -> int:
    """How many bytes an object has; raise Missing where there is none."""
    return int(_head(name)["ContentLength"])


def _head(name: str) -> dict[str, Any]:
    with _told():
        found: dict[str, Any] = client().head_object(**_at(name))
    return found


def unfinished(before: datetime) -> Iterator[str]:
    """The names of uploads in parts that began before a time and were neither completed nor aborted."""
    with _told():
        for page in client().get_paginator("list_multipart_uploads").paginate(Bucket=settings.S3_BUCKET):
            yield from (each["Key"] for each in page.get("Uploads", []) if each["Initiated"] < before)


def abort(name: str, before: datetime) -> None:
    """Abort the uploads in parts under a name that began before a time."""
    with _told():
        for each in client().list_multipart_uploads(Bucket=settings.S3_BUCKET, Prefix=name).get("Uploads", []):
            if each["Key"] == name and each["Initiated"] < before:
                client().abort_multipart_upload(**_at(name), UploadId=each["UploadId"])


def names() -> Iterator[tuple[str, datetime]]:
    """The names of all objects, in order, each with the time since which it is there."""
    with _told():
        for page in client().get_paginator("list_objects_v2").paginate(Bucket=settings.S3_BUCKET):
            yield from ((each["Key"], each["LastModified"]) for each in page.get("Contents", []))


def sizes() -> Iterator[tuple[str, int]]:
    """The names of all documents' objects, in order, each with its size in bytes."""
    with _told():
        for page in client().get_paginator("list_objects_v2").paginate(Bucket=settings.S3_BUCKET):
            found = ((each["Key"], each["Size"]) for each in page.get("Contents", []))
            yield from (each for each in found if is_document(each[0]))


def _remove_version(name: str, version: str, more: dict[str, bool]) -> None:
    try:
        client().delete_object(**_at(name), VersionId=version, **more)
    except ClientError as fault:
        if fault.response.get("Error", {}).get("Code") != "AccessDenied":
            raise
        raise Locked.of(503, "transient", "The document store keeps this object by its lock.") from fault


def _versions(name: str) -> Iterator[str]:
    """What a bucket with object lock keeps under a name: to delete the name alone would hide it and keep it."""
    found = client().list_object_versions(Bucket=settings.S3_BUCKET, Prefix=name)
    for each in (*found.get("Versions", []), *found.get("DeleteMarkers", [])):
        if each["Key"] == name:
            yield each["VersionId"]


def _read(body: Any) -> Iterator[bytes]:
    while True:
        with _told():
            piece = body.read(256 * 1024)
        if not piece:
            return
        yield piece


def _put_parts(name: str, first: bytes, rest: Iterator[tuple[bytes, bool]]) -> None:
    with _told():
        upload = {**_at(name), "UploadId": client().create_multipart_upload(**_at(name))["UploadId"]}
    try:
        tags = [_put_part(upload, 1, first)]
        tags += [_put_part(upload, number, part) for number, (part, _) in enumerate(rest, 2)]
        with _told():
            client().complete_multipart_upload(**upload, MultipartUpload={"Parts": tags})
    except BaseException:
        _abort(upload)
        raise


def _put_part(upload: dict[str, Any], number: int, part: bytes) -> dict[str, Any]:
    with _told():
        tag = client().upload_part(**upload, PartNumber=number, Body=part)["ETag"]
    return {"PartNumber": number, "ETag": tag}


def _abort(upload: dict[str, Any]) -> None:
    try:
        client().abort_multipart_upload(**upload)
    except (BotoCoreError, ClientError) as fault:
        log.error("an upload that failed could not be aborted; `documents check` finds it", exc_info=fault)


def _at(name: str) -> dict[str, Any]:
    return {"Bucket": settings.S3_BUCKET, "Key": name}


def _parts(sealed: Iterable[bytes]) -> Iterator[tuple[bytes, bool]]:
    """Gather a stream into parts of at least PART bytes, each with whether it is the last."""
    held = bytearray()
    for piece in sealed:
        if len(held) >= PART:
            yield bytes(held), False
            held.clear()
        held += piece
    yield bytes(held), True


@contextmanager
def _told() -> Iterator[None]:
    """Turn what the store's library raises into StoreFault."""
    try:
        yield
    except ClientError as fault:
        raise _refused(fault) from fault
    except (BotoCoreError, OSError) as fault:
        raise _silent() from fault


def _silent() -> FHIRError:
    return StoreFault.of(503, "transient", "The document store does not answer; try again shortly.")


def _refused(fault: ClientError) -> FHIRError:
    answer = fault.response.get("Error", {})
    codes = {answer.get("Code", ""), str(fault.response.get("ResponseMetadata", {}).get("HTTPStatusCode", ""))}
    if codes & objectstore.MISSING:
        return Missing.of(500, "exception", "The content is missing in the document store; tell the operator.")
    if codes & _FULL or "space" in answer.get("Message", "").lower():
        return StoreFault.of(503, "no-store", "The document store is full; the operator must make room.")
    if codes & objectstore.CREDENTIALS:
        text = "The document store refuses this server's credentials; the operator must correct HEALTHCARE_S3_*."
        return StoreFault.of(503, "transient", text)
    return StoreFault.of(503, "transient", "The document store met an error; try again shortly.")
