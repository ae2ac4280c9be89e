"""Which fields a form changed, by whom and from where, as django-auditlog keeps it for the history of a record.

It is a help for people who look into a record, not the trail: it sees no reads, no searches, no bulk writes (the API's
creates and updates, imports) and no SQL. Values are kept of coded fields, dates and numbers alone. Sealed fields, and
what follows from others, are not tracked; of any text only that it changed.
"""

from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any
from uuid import UUID

from auditlog.models import LogEntry
from auditlog.registry import auditlog
from django.apps import apps
from django.contrib.contenttypes.models import ContentType
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.signals import pre_save

from healthrecords.access import acting
from healthrecords.access.request import SYSTEM
from healthrecords.records import Part, Record

HIDDEN = "•••"
_EMPTY = ("", "None", "[]", "{}")
_CODES = ("code", "system", "cvx", "mvx", "ndc")  # text that holds a code: names that are or end so


def hidden(value: str) -> str:
    """What is kept of a text: whether there was one."""
    return "" if value in _EMPTY else HIDDEN


def connect() -> None:
    """Track the records and their parts, and stamp each entry with who is at work."""
    for model in apps.get_models():
        if issubclass(model, Record | Part):
            fields = [each for each in model._meta.concrete_fields if _is_tracked(each)]
            texts = [each.name for each in fields if not _is_plain(each)]
            auditlog.register(
                model,
                include_fields=[each.name for each in fields],
                mask_fields=texts,
                mask_callable=f"{__name__}.{hidden.__name__}",
            )
    pre_save.connect(_stamp, sender=LogEntry, dispatch_uid="who is at work")


def _is_tracked(each: Any) -> bool:
    """Fields that a person fills in, and the version; sealed ones and fingerprints are binary."""
    return each.name == "version" or (each.editable and not isinstance(each, models.BinaryField))


def _is_plain(each: Any) -> bool:
    """Whether the values may be kept: codes, dates, numbers, references by id."""
    if isinstance(each, ArrayField | models.JSONField):
        return False
    if not isinstance(each, models.CharField | models.TextField):
        return True
    dated = any(check.__name__ == "check_partial_date" for check in each.validators if hasattr(check, "__name__"))
    return bool(each.choices) or dated or each.name.rpartition("_")[2] in _CODES


def _stamp(sender: Any, instance: LogEntry, **_: Any) -> None:
    """Name who is at work (a token or client by its name, too), from where, and the record; no text of the record."""
    asked = acting.now()
    actor = asked.actor if asked else SYSTEM
    instance.object_repr = f"{instance.content_type.model} {instance.object_pk}"
    instance.actor_id = UUID(actor.id) if actor.kind == "user" else None
    instance.cid = asked.request_id if asked else None
    instance.remote_addr = _address(asked.address) if asked else None
    instance.additional_data = {
        **(instance.additional_data or {}),
        "kind": actor.kind,
        "id": actor.id,
        "name": actor.name,
    }


def _address(text: str) -> str | None:
    """An address that the column takes; nothing for any other text, whatever a header claimed."""
    try:
        return str(ip_address(text))
    except ValueError:
        return None


# --- What was kept, for a record's history ------------------------------------------------------------------------


@dataclass(frozen=True)
class FieldChange:
    """One field: where it is, what it is called, and its values where they are kept."""

    part: str
    label: str
    before: str
    after: str


@dataclass
class Sent:
    """What one request changed: who sent it, from where, and the fields."""

    name: str
    kind: str
    address: str
    changes: list[FieldChange] = field(default_factory=list)


def by_version(record: Record) -> dict[int, Sent]:
    """What is known of the requests that made the versions of a record, by version; the parts' changes among them."""
    kind = ContentType.objects.get_for_model(record)
    own = LogEntry.objects.filter(content_type=kind, object_pk=str(record.pk), changes__has_key="version")
    versions = {entry.cid: int(entry.changes["version"][1]) for entry in own if entry.cid}
    found: dict[int, Sent] = {}
    entries = LogEntry.objects.filter(cid__in=versions, additional_data__record=str(record.pk))
    for entry in entries.select_related("content_type").order_by("timestamp", "pk"):
        said = entry.additional_data
        sent = found.setdefault(versions[entry.cid], Sent(said["name"], said["kind"], entry.remote_addr or ""))
        sent.changes += _changes(entry)
    return found


def _changes(entry: LogEntry) -> list[FieldChange]:
    model: Any = entry.content_type.model_class()
    part = "" if issubclass(model, Record) else str(model._meta.verbose_name).capitalize()
    return [
        FieldChange(part, str(model._meta.get_field(name).verbose_name).capitalize(), before, after)
        for name, (before, after) in sorted(entry.changes.items())
        if name not in ("version", "record")
    ]
