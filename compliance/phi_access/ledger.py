"""Fills the audit socket: writes the facts of one request by one call of `audit_append`, the only way in."""

from typing import Any

import orjson
from django.db import connections
from uuid6 import uuid7

from compliance.phi_access.models import AccessEvent
from healthrecords.access.request import AccessRequest
from healthrecords.crypto.envelope import fingerprint, seal
from healthrecords.trail import Entry, Fact

_APPEND = "SELECT audit.audit_append(%s::jsonb, %s::jsonb)"
_TABLE = AccessEvent._meta.db_table


def write(entry: Entry, using: str) -> None:
    """Add the facts by connection `using`; raises the database's error, which must stop the answer."""
    values = [orjson.dumps(each).decode() for each in (_asked(entry.request), [_said(fact) for fact in entry.facts])]
    with connections[using].cursor() as cursor:
        cursor.execute(_APPEND, values)


def query_place(key: Any) -> str:
    """What the sealed text of a search is bound to."""
    return f"{_TABLE}.query|{key}"


def _asked(asked: AccessRequest) -> dict[str, Any]:
    actor = asked.actor
    return {
        "actor_kind": actor.kind, "actor_id": actor.id, "actor": actor.name, "roles": list(actor.roles),
        "purpose": asked.purpose, "address": asked.address, "request": asked.request_id, "route": asked.route,
        "resource_type": asked.resource_type,
    }  # fmt: skip


def _said(fact: Fact) -> dict[str, Any]:
    key = uuid7()
    said = {
        "uuid": str(key), "action": fact.action, "outcome": fact.outcome, "patient": fact.patient,
        "resources": list(fact.resources), "versions": list(fact.versions), "detail": fact.detail,
    }  # fmt: skip
    if fact.query:
        plain, place = fact.query.encode(), query_place(key)
        said |= {"query": _hex(seal(plain, place)), "query_mac": _hex(fingerprint(plain, place))}
    return said


def _hex(value: bytes) -> str:
    return f"\\x{value.hex()}"
