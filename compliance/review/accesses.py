"""Who saw a patient, and whom a person saw: the trail summed up, each answer recorded as a look at the trail."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.postgres.aggregates import ArrayAgg
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Count, F, Func, Max, Min, Q, TextField, Value

from compliance.phi_access.models import AccessEvent
from healthrecords import trail
from healthrecords.access.request import AccessRequest
from healthrecords.accounts.models import User
from healthrecords.crypto.envelope import blind_indexes
from patients.models import PatientIdentifier

MOST = 500  # rows of a summary


@dataclass(frozen=True)
class Access:
    """The accesses of one actor to one patient: how often, when, what was done, for which purposes."""

    actor_kind: str
    actor_id: str
    actor: str
    patient: str
    count: int
    first_at: datetime
    last_at: datetime
    actions: list[str]
    purposes: list[str]
    roles: list[str]
    denied: int


def who_saw(patient: str, since: datetime | None, by: AccessRequest) -> list[Access]:
    """Everybody who saw or changed the chart of `patient` (its logical id), or tried to; the latest first."""
    return _summed(AccessEvent.objects.filter(patient=patient), since, by, f"who saw patient {patient}")


def seen_by(person: str, since: datetime | None, by: AccessRequest) -> list[Access]:
    """Whom the person, token or client with this id saw; the latest first."""
    return _summed(AccessEvent.objects.filter(actor_id=person), since, by, f"whom actor {person} saw")


def patient_named(text: str) -> str:
    """The logical id that an id, a reference or a whole identifier (such as a record number) means.

    An officer opens no chart; whoever asks brings the number. Raise ValidationError for one that several patients have.
    """
    sent = text.strip().removeprefix("Patient/")
    rows = PatientIdentifier.objects.filter(Q(value=sent) | Q(fingerprint__in=blind_indexes(sent, "identifier")))
    found = set(rows.values_list("record__logical_id", flat=True)[:2]) if sent else set()
    if len(found) > 1:
        raise ValidationError("Several patients have this number; use the id of the record.")
    return found.pop() if found else sent


def person_named(text: str) -> str:
    """The id of the person with this e-mail address or name, else the text itself: an id is one already.

    Raise ValidationError for a name that several people have.
    """
    sent = text.strip()
    found = list(User.objects.filter(Q(email__iexact=sent) | Q(name__iexact=sent)).values_list("pk", flat=True)[:2])
    if len(found) > 1:
        raise ValidationError("Several people have this name; use the e-mail address.")
    return str(found[0]) if found else sent


def _summed(rows: Any, since: datetime | None, by: AccessRequest, asked: str) -> list[Access]:
    if since:
        rows = rows.filter(time__gte=since)
    with transaction.atomic():
        found = [_access(row) for row in _grouped(rows.filter(patient__isnull=False))[:MOST]]
        fact = trail.Fact("search", detail=f"{asked}: {len(found)} rows")
        trail.record(by.to("search", "AuditEvent"), [fact])
    return found


_ROLES = Func(F("roles"), Value(", "), function="array_to_string", output_field=TextField())


def _grouped(rows: Any) -> Any:
    done = Q(outcome="success")
    return (
        rows.order_by()
        .values("actor_kind", "actor_id", "patient")
        .annotate(
            names=ArrayAgg("actor", order_by="-time"),
            count=Count("uuid", filter=done),
            first_at=Min("time"),
            last_at=Max("time"),
            actions=ArrayAgg("action", distinct=True, filter=done, default=[]),
            purposes=ArrayAgg("purpose", distinct=True, filter=~Q(purpose=""), default=[]),
            held=ArrayAgg(_ROLES, distinct=True),
            denied=Count("uuid", filter=~done),
        )
        .order_by("-last_at")
    )


def _access(row: dict[str, Any]) -> Access:
    return Access(
        row["actor_kind"], row["actor_id"], row["names"][0], row["patient"], row["count"], row["first_at"],
        row["last_at"], row["actions"], row["purposes"], row["held"], row["denied"],
    )  # fmt: skip
