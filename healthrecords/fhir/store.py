"""Write records: the version that is served, the columns that are searched and the parts, together and many at once."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import models
from django.utils import timezone

from healthrecords import bulk
from healthrecords.access.request import SYSTEM, Actor
from healthrecords.jsontext import dump_json
from healthrecords.records import Part, Record, RecordVersion

from .mapping import JSON, Draft, from_fhir, load, to_fhir
from .outcome import FHIRError
from .resource import Resource, registry


@dataclass
class Change:
    """A record as it is to be: the draft, and the stored row (locked) that it follows, if there is one.

    `digest` is that of the resource as an import brought it.
    """

    draft: Draft
    previous: Record | None = None
    digest: bytes | None = None

    @property
    def record(self) -> Record:
        return self.draft.record


def draft_of(resource: Resource, body: JSON, logical_id: str = "", author: Actor = SYSTEM) -> Draft:
    """Return the draft of a validated resource of `author` under `logical_id` (its own new key when empty).

    References must be resolved by now: raises FHIRError 422 with what the type's `check` finds.
    """
    issues = list(resource.check(body))
    if issues:
        raise FHIRError(422, issues)
    draft = from_fhir(resource.mapping, resource.receive(body, author))
    draft.record.logical_id = logical_id
    return draft


def write(resource: Resource, changes: Sequence[Change], author: Actor, source: str = "") -> list[RecordVersion]:
    """Write `changes` of one type in a few statements inside the caller's transaction; return their new versions.

    Raises IntegrityError when another transaction took one of the ids in the meantime.
    """
    now = timezone.now()
    for change in changes:
        _follow(change, now, source or author.source)
        _settle(resource, change.draft)
    resource.gather([change.draft for change in changes])
    versions = [_version(resource, change.draft, author) for change in changes]
    bulk.insert(RecordVersion, versions)
    _upsert(resource.model, [change.record for change in changes])
    _replace_parts(resource, changes)
    _tell(resource, versions)
    resource.written([change.record for change in changes], author)
    return versions


def remove(resource: Resource, record: Record, author: Actor) -> RecordVersion:
    """Mark a (locked) record as deleted: a version without content; its columns stay for a later return."""
    record.version, record.updated_at = record.version + 1, timezone.now()
    record.deleted_at = record.updated_at
    labels = record.current.labels if record.current else []
    version = record.current = _row(resource, record, RecordVersion.Interaction.DELETE, author)
    version.labels = labels  # what hid the record hides its deletion
    version.save(force_insert=True)
    record.save(update_fields=["version", "current", "deleted_at", "updated_at"])
    resource.written([record], author)
    return version


def write_stored(resource: Resource, record: Record, author: Actor) -> RecordVersion:
    """Make the next version of a record whose columns and parts are already in their tables (a form saved them)."""
    draft = load(resource.mapping, record)
    record.version, record.updated_at = record.version + 1, timezone.now()
    record.source = record.source or author.source
    _settle(resource, draft)
    resource.gather([draft])
    version = _version(resource, draft, author)
    version.save(force_insert=True)
    record.save()
    _tell(resource, [version])
    resource.written([record], author)
    return version


def _tell(resource: Resource, versions: Sequence[RecordVersion]) -> None:
    """Let the other types bring up to date what they gathered from these records."""
    for each in registry().values():
        if each is not resource and not resource.directory:
            each.follow(versions)


def _follow(change: Change, now: datetime, source: str) -> None:
    """Give the record its key, number and times: those that follow the stored row, or new ones."""
    record, previous = change.record, change.previous
    if previous:
        record.uuid, record.logical_id = previous.uuid, previous.logical_id
        record.created_at, record.source = previous.created_at, previous.source
        record.source_digest, record.source_version = previous.source_digest, previous.source_version
    else:
        record.assign_id()
        record.created_at, record.source = now, source
    record.version, record.updated_at = (previous.version if previous else 0) + 1, now
    if change.digest:
        record.source_digest, record.source_version = change.digest, record.version


def _settle(resource: Resource, draft: Draft) -> None:
    for part in _parts(draft):
        part.record_id = draft.record.pk  # type: ignore[attr-defined]
        part.derive()
    draft.record.derive()
    resource.settle(draft)


def _parts(draft: Draft) -> Iterable[Part]:
    return (part for parts in draft.parts.values() for part in parts)


def _version(resource: Resource, draft: Draft, author: Actor) -> RecordVersion:
    record = draft.record
    kind = RecordVersion.Interaction.UPDATE if record.version > 1 else RecordVersion.Interaction.CREATE
    version = record.current = _row(resource, record, kind, author)
    body = render(resource, draft)
    version.content, version.labels = dump_json(body).decode(), labels_of(body)
    return version


def _row(resource: Resource, record: Record, interaction: str, author: Actor) -> RecordVersion:
    return RecordVersion(
        resource_type=resource.name,
        logical_id=record.logical_id,
        version=record.version,
        interaction=interaction,
        recorded_at=record.updated_at,
        author=author.source,
        patients=record.patient_ids(),
    )


def render(resource: Resource, draft: Draft) -> JSON:
    """Return the resource as it is served, with id, version and time."""
    body, record = to_fhir(resource.mapping, draft), draft.record
    meta = {"versionId": str(record.version), "lastUpdated": instant(record.updated_at), **body.pop("meta", {})}
    return {"resourceType": resource.name, "id": record.logical_id, "meta": meta, **body}


def labels_of(body: JSON) -> list[str]:
    """Return the security labels of a resource (R4 §6.1.3), as `system|code`, sorted, none twice.

    A document's own labels (DocumentReference.securityLabel) count as well.
    """
    own = body.get("securityLabel", [])
    codings = [*body.get("meta", {}).get("security", []), *(each for label in own for each in label.get("coding", []))]
    return sorted({f"{each.get('system', '')}|{each['code']}" for each in codings if each.get("code")})


def instant(time: datetime) -> str:
    """Return a FHIR instant, UTC, to the millisecond."""
    return time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def digest_of(body: JSON) -> bytes:
    """Return the SHA-256 of a resource as it was sent, by which an import knows it again."""
    return hashlib.sha256(dump_json(body)).digest()


def _upsert(model: type[Record], records: list[Record]) -> None:
    fields: list[Any] = [f for f in model._meta.concrete_fields if not f.primary_key]
    known = [record for record in records if record.version > 1]
    fresh = [record for record in records if record.version == 1]
    bulk.insert(model, fresh)
    if known:
        names = [field.name for field in fields]
        model.objects.bulk_create(known, update_conflicts=True, unique_fields=["uuid"], update_fields=names)


def _replace_parts(resource: Resource, changes: Sequence[Change]) -> None:
    known = [change.record.pk for change in changes if change.previous]
    for each in resource.mapping.parts:
        manager: models.Manager[Any] = each.model.objects  # type: ignore[attr-defined]
        if known:
            stale = manager.filter(record_id__in=known)
            stale._raw_delete(stale.db)
        bulk.insert(each.model, [part for change in changes for part in change.draft.parts.get(each.related, [])])
