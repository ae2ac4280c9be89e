"""The interactions on single records: create, read, vread, update, delete (R4 §3.1.0).

Each runs in one transaction with its row in the trail, and answers before anything becomes HTTP.
"""

import hashlib
from collections.abc import Collection
from functools import lru_cache, partial
from typing import Any
from urllib.parse import parse_qsl

from django.db import connection, transaction
from django.db.models import QuerySet

from healthrecords import trail
from healthrecords.access import acting, policy
from healthrecords.access.request import AccessRequest, Disclosure
from healthrecords.compiled import Compiled
from healthrecords.oauth import narrowing
from healthrecords.records import Record, RecordQuerySet, RecordVersion

from . import store
from .acceptance import refuse_invalid
from .answer import Answer, location, version_headers
from .conditions import Conditions
from .mapping import JSON
from .outcome import FHIRError, not_found, outcome
from .primitives import ID
from .resource import Resource, registry
from .search import query
from .shaping import Shape


def require(asked: AccessRequest) -> None:
    """Raise FHIRError 403 unless the interaction is open to the actor at all."""
    if not narrowing.is_open(asked):
        raise _beyond(asked, f"The scopes of this access do not open {asked.interaction} of {asked.resource_type}")
    if not policy.permit(asked).permitted:
        text = f"This {asked.actor.kind} may not {asked.interaction} {asked.resource_type}."
        raise FHIRError.of(403, "forbidden", text)


def refuse_beyond(asked: AccessRequest, record: Record) -> None:
    """Raise FHIRError 403 where a record, as it was just written, is none that the actor's scopes open."""
    if not narrowing.holds(record, asked):
        scopes = ", ".join(scope.text for scope in narrowing.opening(asked))
        raise _beyond(asked, f"What this would store is not within {scopes}")


def _beyond(asked: AccessRequest, text: str) -> FHIRError:
    """The refusal of what the scopes do not open (RFC 6750 §3.1)."""
    lacking = narrowing.lacking(asked)
    error = FHIRError.of(403, "forbidden", f"{text}; it takes the scope {lacking}.")
    error.headers["WWW-Authenticate"] = f'Bearer error="insufficient_scope", scope="{lacking}"'
    return error


def read(resource: Resource, asked: AccessRequest, logical_id: str, conditions: Conditions, shape: Shape) -> Answer:
    """Answer with the record as it is now: 200, 304, 404 or 410."""
    with transaction.atomic():
        version = _current(resource, asked, logical_id)
        _disclose(resource, asked, [version])
        if version.interaction == RecordVersion.Interaction.DELETE:
            raise _gone(version)
        if conditions.unchanged(version):
            return Answer(304, headers=version_headers(version), version=version)
        return Answer(200, shape.one(resource, str(version.content)), version_headers(version), version)


def shape_of(resource: Resource, asked: AccessRequest, pairs: list[tuple[str, str]]) -> Shape:
    """What a read shows: it takes `_summary`, `_elements` and the parameters of rendering; raise 400 for any other."""
    refuse_parameters(pairs, {"_summary", "_elements"})
    wanted = query.parse(resource, pairs, asked)
    return Shape(wanted.summary, wanted.elements)


def refuse_parameters(pairs: list[tuple[str, str]], known: Collection[str] = ()) -> None:
    """Raise FHIRError 400 for a parameter that this interaction does not have."""
    for name, _ in pairs:
        if name not in known and name not in query.RENDERING:
            raise FHIRError.of(400, "invalid", f"This interaction has no parameter '{name[:60]}'.")


def stored_content(resource: Resource, asked: AccessRequest, logical_id: str) -> str:
    """Return the JSON of a record as it is now, with its row in the trail; raise FHIRError 404 or 410."""
    version = _current(resource, asked, logical_id)
    _disclose(resource, asked, [version])
    if version.interaction == RecordVersion.Interaction.DELETE:
        raise _gone(version)
    return str(version.content)


def vread(resource: Resource, asked: AccessRequest, logical_id: str, number: str) -> Answer:
    """Answer with one version of a record: 200, 404 or 410."""
    with transaction.atomic():
        _current(resource, asked, logical_id)
        every = RecordVersion.objects.filter(resource_type=resource.name, logical_id=logical_id)
        versions = policy.visible_versions(every, asked)
        version = versions.filter(version=int(number)).first() if _is_number(number) else None
        if version is None:
            raise FHIRError.of(404, "not-found", f"{resource.name} has no such version.")
        _disclose(resource, asked, [version])
        if version.interaction == RecordVersion.Interaction.DELETE:
            raise _gone(version)
        return Answer(200, version.content, version_headers(version), version)


def create(resource: Resource, asked: AccessRequest, body: Any, conditions: Conditions) -> Answer:
    """Store a new record under a new id: 201; with If-None-Exist also 200 (there is one) or 412 (several)."""
    refuse_invalid(resource, body)
    with transaction.atomic():
        found = existing(resource, asked, conditions)
        if found:
            return found
        change = store.Change(store.draft_of(resource, body, author=asked.actor))
        [version] = store.write(resource, [change], asked.actor)
        refuse_beyond(asked, change.record)
        _disclose(resource, asked, [version])
        return _written(201, version, conditions, resource, change.record)


def update(resource: Resource, asked: AccessRequest, logical_id: str, body: Any, conditions: Conditions) -> Answer:
    """Store the next version: 200; 201 where there was none or it was deleted; 412 when another was expected."""
    refuse_invalid(resource, body)
    refuse_other_id(resource, body, logical_id)
    with transaction.atomic():
        stored = _locked(resource, asked, logical_id)
        alive = stored is not None and stored.deleted_at is None
        conditions.refuse_stale(stored.version if stored and alive else None)
        asked = asked if alive else asked.to("create")
        require(asked)
        change = store.Change(store.draft_of(resource, body, logical_id, asked.actor), stored)
        [version] = store.write(resource, [change], asked.actor)
        refuse_beyond(asked, change.record)
        _disclose(resource, asked, [version])
        return _written(200 if alive else 201, version, conditions, resource, change.record)


def delete(resource: Resource, asked: AccessRequest, logical_id: str, conditions: Conditions) -> Answer:
    """Mark a record as deleted: 204, also when it is already; 404 when there never was one."""
    with transaction.atomic():
        stored = _locked(resource, asked, logical_id)
        if stored is None:
            raise not_found(resource.name)
        conditions.refuse_stale(stored.version)
        if stored.deleted_at:
            return Answer(204)
        version = store.remove(resource, stored, asked.actor)
        _disclose(resource, asked, [version])
        return Answer(204, headers=version_headers(version), version=version)


def matching(resource: Resource, asked: AccessRequest, text: str) -> list[Record]:
    """Up to two visible records that the search `text` finds."""
    pairs = parse_qsl(text.partition("?")[2] or text, keep_blank_values=True)
    search = query.parse(resource, pairs, asked)
    if not search.conditions:
        raise FHIRError.of(400, "invalid", "The condition names no search parameter.")
    require(asked.to("search", resource.name))
    rows = policy.visible(resource.model.objects.live(), asked.to("search", resource.name))
    return list(search.narrow(rows).select_related("current")[:2])


def existing(resource: Resource, asked: AccessRequest, conditions: Conditions) -> Answer | None:
    """The answer of a conditional create that need not create; None where it must; raise 412 for several matches."""
    if not conditions.none_exist:
        return None
    _one_at_a_time(resource)
    found = matching(resource, asked, conditions.none_exist)
    if len(found) > 1:
        raise FHIRError.of(412, "multiple-matches", "If-None-Exist finds more than one record.")
    version = found[0].current if found else None
    if version is None:
        return None
    _disclose(resource, asked.to("read"), [version])
    return Answer(200, version.content, {**version_headers(version), "Location": location(version)}, version)


def _one_at_a_time(resource: Resource) -> None:
    """Let no other conditional create of this type run until this transaction ends: two may mean the same record."""
    key = hashlib.sha256(f"If-None-Exist {resource.name}".encode()).digest()[:8]
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [int.from_bytes(key, signed=True)])


def _current(resource: Resource, asked: AccessRequest, logical_id: str) -> RecordVersion:
    """The version that a visible record is at, a deletion with them; raise 404 where there is none to see."""
    columns = None
    if _is_id(logical_id):
        seen = Compiled(lambda key: _current_columns(policy.visible(resource.model.objects.all(), asked), key))
        columns = _untouched(resource, asked, logical_id) or seen.get(logical_id)
        if columns is None:
            policy.note_withheld(resource.model, logical_id=logical_id)
    if columns is None:
        raise not_found(resource.name)
    return RecordVersion(
        resource_type=resource.name, logical_id=logical_id, **dict(zip(_COLUMNS, columns, strict=True))
    )


_COLUMNS = ("uuid", "version", "interaction", "recorded_at", "patients", "content")


def _current_columns(rows: RecordQuerySet, logical_id: str) -> QuerySet[Any, Any]:
    return rows.filter(logical_id=logical_id).values_list(*(f"current__{name}" for name in _COLUMNS))


def _untouched(resource: Resource, asked: AccessRequest, logical_id: str) -> tuple[Any, ...] | None:
    """The columns of a record that nothing hides from anybody: most records, by a query that is composed once."""
    if asked.actor.scopes is not None or not policy.permit(asked).permitted:
        return None
    acting.consult()  # by a query that is kept
    return _by_id(resource.name, asked.purpose).get(logical_id)


@lru_cache(maxsize=256)
def _by_id(resource_type: str, purpose: str) -> Compiled:
    rows = policy.untouched(registry()[resource_type].model.objects.all(), purpose)
    return Compiled(partial(_current_columns, rows))


def _locked(resource: Resource, asked: AccessRequest, logical_id: str) -> Record | None:
    if not _is_id(logical_id):
        raise FHIRError.of(400, "invalid", "An id has 1 to 64 letters, digits, '-' or '.'.", f"{resource.name}.id")
    rows = policy.visible(resource.model.objects.all(), asked)
    return rows.select_for_update(of=("self",)).filter(logical_id=logical_id).first()


def _disclose(resource: Resource, asked: AccessRequest, versions: list[RecordVersion]) -> None:
    if resource.directory and asked.interaction == "read":
        return
    rows = [(version.logical_id, version.version, version.patients) for version in versions]
    trail.record(asked, trail.disclosed(asked.interaction, [Disclosure(resource.name, rows)]))


def _written(status: int, version: RecordVersion, conditions: Conditions, resource: Resource, record: Record) -> Answer:
    body: Any = version.content
    if conditions.prefer == "minimal":
        body = None
    elif conditions.prefer == "OperationOutcome":
        body = outcome(list(resource.remark(record)))
    return Answer(status, body, {**version_headers(version), "Location": location(version)}, version)


def refuse_other_id(resource: Resource, body: JSON, logical_id: str) -> None:
    """Raise FHIRError 400 unless `body` carries the id that it is sent to."""
    if body.get("id") != logical_id:
        text = "The resource must carry the id of the address that it is sent to."
        raise FHIRError.of(400, "invalid", text, f"{resource.name}.id")


def _gone(version: RecordVersion) -> FHIRError:
    error = FHIRError.of(410, "deleted", "This record has been deleted; its history shows the earlier versions.")
    error.headers["ETag"] = version_headers(version)["ETag"]
    return error


def _is_id(text: str) -> bool:
    return ID.fullmatch(text) is not None


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 10
