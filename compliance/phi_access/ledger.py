"""Fills the audit socket: writes the facts of one request in one statement."""

from typing import Any

from django.db import connections
from django.utils import timezone
from uuid6 import uuid7

from compliance.phi_access.models import AccessEvent
from healthrecords.crypto.envelope import seal
from healthrecords.trail import Entry, Fact

_COLUMNS = (
    "uuid, time, action, outcome, actor_kind, actor_id, actor, roles, purpose, address, request, route, "
    "resource_type, patient, resources, versions, detail, query"
)
_ROW = "(" + ", ".join(["%s"] * 18) + ")"
_TABLE = AccessEvent._meta.db_table


def write(entry: Entry, using: str) -> None:
    """Insert the facts by connection `using`; raises the database's error, which must stop the answer."""
    now = timezone.now()
    values = [value for fact in entry.facts for value in _values(entry, fact, now)]
    rows = ", ".join([_ROW] * len(entry.facts))
    with connections[using].cursor() as cursor:
        cursor.execute(f"INSERT INTO {_TABLE} ({_COLUMNS}) VALUES {rows}", values)  # noqa: S608  # nosec B608


def _values(entry: Entry, fact: Fact, now: Any) -> list[Any]:
    asked, actor, key = entry.request, entry.request.actor, uuid7()
    query = seal(fact.query.encode(), f"{_TABLE}.query|{key}") if fact.query else None
    who = [actor.kind, actor.id, actor.name, list(actor.roles)]
    where = [asked.purpose, asked.address, asked.request_id, asked.route, asked.resource_type]
    what = [fact.patient, list(fact.resources), list(fact.versions), fact.detail, query]
    return [key, now, fact.action, fact.outcome, *who, *where, *what]
