"""Content that a document brings along in base64: it goes to the store, and the document then points to it.

A document comes back with `attachment.url` in place of `attachment.data`, so that lists and histories stay small; the
content itself comes back from that address.
"""

import base64
import hashlib
import re
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from typing import Any
from uuid import UUID

from documents import contents
from documents.ccda import filling
from documents.holding import keep_new
from documents.models import Content, ContentUse, DocumentContent
from healthrecords.access.request import Actor
from healthrecords.fhir.mapping import JSON
from healthrecords.fhir.outcome import Issue
from healthrecords.fhir.references import target_of

# What a program that follows the link would run, or read from its own disk.
_NO_ADDRESS = re.compile(r"\s*(javascript|vbscript|data|file|blob)\s*:", re.IGNORECASE)


def check_content(body: JSON, patient: str) -> Iterator[Issue]:
    """Refuse content that belongs to another patient, and a checksum or size that is not that of the data."""
    for position, each in enumerate(body.get("content", [])):
        path, attachment = f"DocumentReference.content[{position}].attachment", each.get("attachment", {})
        if _is_anothers(attachment, patient):
            yield Issue("value", "names content of another patient", f"{path}.url")
        if _NO_ADDRESS.match(str(attachment.get("url", ""))):
            yield Issue("security", "is no address of a document", f"{path}.url")
        if isinstance(attachment.get("data"), str):
            yield from _data_faults(attachment, path)


def stored(body: JSON, author: Actor) -> JSON:
    """Return the document with its data in the store, in the caller's transaction, and with what the headers of its
    C-CDAs add to it; raise StoreFault.
    """
    if any("data" in each.get("attachment", {}) for each in body.get("content", [])):
        body = _stored(body, author)
    return filling.completed(body, author)


def uses(records: Sequence[Any], author: Actor) -> None:
    """Note which content the documents point to; what somebody else sent, and no document has yet, is as if unknown."""
    patients = {record.pk: record for record in records}
    pairs = DocumentContent.objects.filter(record_id__in=patients).exclude(binary="").values_list("record_id", "binary")
    wanted = [(patients[record], UUID(binary)) for record, binary in pairs if _is_key(binary)]
    known = Content.objects.open_to(author).defer("data_key").in_bulk([key for _, key in wanted])
    there = set(ContentUse.objects.filter(content__in=known).values_list("document", "content"))
    fresh = [(record, known[key]) for record, key in wanted if key in known and (record.logical_id, key) not in there]
    rows = [
        ContentUse(content=content, document=record.logical_id, patient=record.patient_id) for record, content in fresh
    ]
    ContentUse.objects.bulk_create(rows, ignore_conflicts=True)
    keep_new(fresh)


def _stored(body: JSON, author: Actor) -> JSON:
    """All uploads come before the first row: while the store is slow, no other transaction waits for this one."""
    with ExitStack() as uploads:
        sent = [(each, _kept(each.get("attachment", {}), author, uploads)) for each in body["content"]]
        for content in filter(None, (content for _, content in sent)):
            content.save(force_insert=True)
    return {**body, "content": [_pointing(each, content) if content else each for each, content in sent]}


def _kept(attachment: JSON, author: Actor, uploads: ExitStack) -> Content | None:
    if not isinstance(attachment.get("data"), str):
        return None
    kind = attachment.get("contentType", "application/octet-stream")
    return uploads.enter_context(contents.kept([_bytes(attachment)], kind, author))


def _pointing(each: JSON, content: Content) -> JSON:
    rest = {name: value for name, value in each["attachment"].items() if name != "data"}
    return {**each, "attachment": {**rest, "url": f"Binary/{content.pk}"}}


def _data_faults(attachment: JSON, path: str) -> Iterator[Issue]:
    data = _bytes(attachment)
    if "url" in attachment:
        yield Issue("value", "has data and url; send one of them", path)
    if attachment.get("size", len(data)) != len(data):
        yield Issue("value", f"is not the size of the data, which is {len(data)}", f"{path}.size")
    digest = base64.b64encode(hashlib.sha1(data, usedforsecurity=False).digest()).decode()
    if attachment.get("hash", digest) != digest:
        yield Issue("value", "is not the SHA-1 of the data", f"{path}.hash")


def _bytes(attachment: JSON) -> bytes:
    return base64.b64decode(attachment["data"])


def _is_anothers(attachment: JSON, patient: str) -> bool:
    target = target_of(attachment["url"]) if isinstance(attachment.get("url"), str) else None
    if target is None or target[0] != "Binary" or not _is_key(target[1]):
        return False
    return ContentUse.objects.filter(content_id=UUID(target[1])).exclude(patient=patient).exists()


def _is_key(text: str) -> bool:
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False
