"""Reads the access log: who did what to whose data, newest last (45 CFR 164.312(b), 164.528)."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

from compliance.phi_access.models import AccessEvent
from healthrecords import trail
from healthrecords.access.request import AccessRequest

MOST = 10_000  # rows in one answer
_SPAN = re.compile(r"(\d{1,6})([smhdw])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


@dataclass(frozen=True)
class Filters:
    """Which rows of the log are asked for; those that are empty do not narrow."""

    patient: str = ""
    actor: str = ""
    since: datetime | None = None

    def __str__(self) -> str:
        parts = [("patient", self.patient), ("actor", self.actor), ("since", self.since and self.since.isoformat())]
        return ", ".join(f"{name} {value}" for name, value in parts if value) or "everything"


@dataclass(frozen=True)
class Page:
    """Rows, oldest first, and whether older ones were left out."""

    events: list[AccessEvent]
    more: bool


def read(filters: Filters, limit: int, by: AccessRequest) -> Page:
    """The newest `limit` rows; the reading itself leaves its row, or nothing is shown."""
    if not 1 <= limit <= MOST:
        raise ValidationError(f"The limit is 1 to {MOST}, not {limit}.")
    with transaction.atomic():
        newest = list(_matching(filters).order_by("-time", "-uuid")[: limit + 1])
        fact = trail.Fact("search", detail=f"access log read by {filters}: {min(len(newest), limit)} rows")
        trail.record(by.to("search", "AccessEvent"), [fact])
    return Page(newest[:limit][::-1], more=len(newest) > limit)


def since(text: str) -> datetime | None:
    """The instant that an ISO date or time, or a span back from now such as 2h or 7d, means; times are UTC."""
    if not text:
        return None
    try:
        return _span(text) or _instant(text)
    except (ValueError, OverflowError):
        raise ValidationError(f"'{text}' is neither a date, a time nor a span such as 30m, 2h or 7d.") from None


def as_row(event: AccessEvent) -> dict[str, Any]:
    """What `access log --json` gives for an event."""
    return {
        "time": event.time,
        "actor": event.actor,
        "actor_kind": event.actor_kind,
        "roles": event.roles,
        "action": event.action,
        "outcome": event.outcome,
        "patient": event.patient,
        "resources": event.resources,
        "versions": event.versions,
        "purpose": event.purpose,
        "address": event.address,
        "request": event.request,
        "route": event.route,
        "detail": event.detail,
    }


def _matching(filters: Filters) -> Any:
    rows = AccessEvent.objects.all()
    if filters.patient:
        rows = rows.filter(patient=filters.patient.removeprefix("Patient/"))
    if filters.actor:
        rows = rows.filter(actor=filters.actor)
    return rows.filter(time__gte=filters.since) if filters.since else rows


def _span(text: str) -> datetime | None:
    found = _SPAN.fullmatch(text)
    return timezone.now() - timedelta(**{_UNITS[found[2]]: int(found[1])}) if found else None


def _instant(text: str) -> datetime:
    moment = parse_datetime(text)
    if moment is None:
        day = parse_date(text)
        if day is None:
            raise ValueError(text)
        moment = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
