"""Removes months of the trail that are older than its retention: a recorded, signed act, after which all else verifies.

The seals stay, and with them the hash of every event that was removed: each batch still proves what is left of it, and
the signed statement says how many events are gone, and which.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import connections, transaction
from django.utils import timezone

from compliance.audit import heads, merkle, sealing
from compliance.audit.heads import Head
from compliance.audit.leaves import entries
from compliance.audit.models import AuditSeal
from compliance.audit.schema import EVENTS, become_owner, become_trail
from compliance.audit.verification import Verification
from healthrecords import trail
from healthrecords.access.request import AccessRequest

OWNER = "owner"


@dataclass(frozen=True)
class Plan:
    """Which months go, how many events they hold, and the statement that seals the last of them (0: none)."""

    before: date
    months: tuple[str, ...]
    events: int
    through: int = 0


def plan() -> Plan:
    """What retention would remove now: whole months that ended HEALTHCARE_AUDIT_RETENTION_YEARS ago or earlier.

    Raises ValidationError where an event of these months was never sealed.
    """
    today = timezone.now().date()
    before = today.replace(year=today.year - settings.AUDIT_RETENTION_YEARS, day=1)
    with connections[OWNER].cursor() as cursor:
        months = tuple(name for name in _months(cursor) if name < f"{EVENTS}_{before:%Y_%m}")
        newest = _newest(cursor, before) if months else None
    if newest is None:
        return Plan(before, months, 0)
    count, epoch, txid, time = newest
    head = heads.covering(epoch, txid, time)
    if head is None:
        raise ValidationError(
            "Some of these events are not sealed; `audit seal` first, and find out why they were not."
        )
    return Plan(before, months, count, head.row.number)


def retain(made: Plan, by: AccessRequest) -> Head | None:
    """Carry out a plan: verify what it removes, sign the removal, drop the months; return the statement.

    Raises ValidationError where what would go does not verify: removing it would remove the evidence.
    """
    if not made.months:
        return None
    _refuse_changed(made)
    fact = trail.Fact("delete", detail=f"audit trail before {made.before}: {made.events} events, retention ended")
    with transaction.atomic():
        trail.record(by.to("delete", "AccessEvent"), [fact])
    with _as_trail() as cursor:
        statement = _signed(cursor, made, by) if made.events else None
        for month in made.months:
            cursor.execute(f"DROP TABLE audit.{connections[OWNER].ops.quote_name(month)}")
        if statement:
            statement.save(using=OWNER, force_insert=True)
    return Head.of(statement) if statement else None


def _months(cursor: Any) -> list[str]:
    """The names of the partitions, which sort as the months do."""
    cursor.execute(
        "SELECT relname FROM pg_inherits JOIN pg_class ON oid = inhrelid WHERE inhparent = %s::regclass ORDER BY 1",
        [f"audit.{EVENTS}"],
    )
    return [name for (name,) in cursor.fetchall()]


def _newest(cursor: Any, before: date) -> tuple[int, int, int, datetime] | None:
    """How many events there are before a month, and epoch, transaction and time of the last of them as sealed."""
    cursor.execute(
        f"SELECT count(*) OVER (), epoch, txid, time FROM audit.{EVENTS} WHERE time < %s "  # noqa: S608  # nosec B608
        "ORDER BY epoch DESC, txid DESC LIMIT 1",
        [_start(before)],
    )
    row: tuple[int, int, int, datetime] | None = cursor.fetchone()
    return row


def _start(month: date) -> datetime:
    return datetime(month.year, month.month, 1, tzinfo=UTC)


def _refuse_changed(made: Plan) -> None:
    if not made.through:
        return
    last = AuditSeal.objects.using("sealer").only("time").get(pk=made.through).time
    if findings := Verification(until=last).run().findings:
        raise ValidationError(f"What would be removed does not verify ({findings[0].text}); nothing was removed.")


@contextmanager
def _as_trail() -> Iterator[Any]:
    """One transaction as the role that owns the trail, while no sealer runs."""
    with transaction.atomic(using=OWNER), connections[OWNER].cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = '10s'")  # requests wait behind a DROP that waits
        sealing.lock(cursor)
        become_trail(cursor)
        yield cursor
        become_owner(cursor)


def _signed(cursor: Any, made: Plan, by: AccessRequest) -> AuditSeal:
    """The statement over every event that is gone so far, those of earlier removals among them."""
    removed = list(_gone(cursor, made))
    act = {
        "through": made.through, "removed": len(removed), "removed_root": merkle.root(removed).hex(),
        "before": f"{made.before}", "by": by.actor.name,
    }  # fmt: skip
    return sealing.statement(heads.last(), heads.REMOVAL, [], act)


def _gone(cursor: Any, made: Plan) -> Iterator[bytes]:
    """The leaf hashes of all events that will be gone, in the order of the seals' lists."""
    rows = AuditSeal.objects.using("sealer").filter(number__lte=made.through).order_by("number")
    for row in rows.iterator(chunk_size=50):
        said = Head.of(row).said
        cursor.execute(
            f"SELECT uuid::text FROM audit.{EVENTS} WHERE epoch = %s AND txid >= %s AND txid < %s AND time >= %s",  # noqa: S608  # nosec B608
            [said["covers"], said["from"], said["to"], _start(made.before)],
        )
        kept = {uuid for (uuid,) in cursor.fetchall()}
        yield from (digest for uuid, digest in entries(bytes(row.leaves)) if uuid not in kept)
