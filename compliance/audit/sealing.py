"""Seals: every finished transaction's events become leaves of a signed tree; a restore opens a new epoch.

A batch is all events of one epoch whose transactions are in [from, to). `to` is at most `pg_snapshot_xmin`: below it
every transaction has ended, so that none can come into the batch later, whatever number its events have.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db import connections, transaction
from django.utils import timezone

from compliance.audit import heads, merkle
from compliance.audit.leaves import FORM, SEALER, Event, entry, events
from compliance.audit.models import AuditSeal
from compliance.audit.schema import EVENTS
from healthrecords import trail
from healthrecords.access.request import AccessRequest

BATCH = 50_000  # events of one tree, unless a single transaction has more
HEARTBEAT = timedelta(hours=1)  # an idle server says so often that its sealer lives
_LOCK = 0x5EA1


def seal() -> list[AuditSeal]:
    """Seal all events of finished transactions; return the new statements. A second run at once finds nothing."""
    made: list[AuditSeal] = []
    make_months()
    while added := _next_seal():
        made.append(added)
    return made


def make_months() -> None:
    """Make the partitions of the months ahead."""
    with connections[SEALER].cursor() as cursor:
        cursor.execute("SELECT audit.audit_make_partitions()")


def open_epoch(reason: str, by: AccessRequest) -> int:
    """Open a new epoch by a statement that also seals what is left of the one before; return its number.

    For a restore, before anybody writes: numbers and transactions start over there, and the witness may know
    statements that the restored database does not.
    """
    if not reason.strip():
        raise ValidationError("Say why a new epoch begins, for instance which backup was restored.")
    make_months()  # a backup of long ago has none for today
    fact = trail.Fact("restore", detail=f"new epoch of the audit trail: {reason}")
    with transaction.atomic():
        trail.record(by.to("restore", "AuditSeal"), [fact])
    with _alone() as cursor:
        newest = heads.last()
        epoch, begin = _next(newest)
        rest = list(events(cursor, epoch, begin, heads.END))
        act = {"epoch": epoch + 1, "from": begin, "to": heads.END, "reason": reason, "by": by.actor.name}
        statement(newest, heads.EPOCH, rest, act).save(using=SEALER, force_insert=True)
    return epoch + 1


def unsealed() -> tuple[int, datetime | None]:
    """How many events no seal covers yet, and the time of the oldest."""
    epoch, begin = _next(heads.last())
    with connections[SEALER].cursor() as cursor:
        cursor.execute(
            f"SELECT count(*), min(time) FROM audit.{EVENTS} WHERE epoch = %s AND txid >= %s",  # noqa: S608  # nosec B608
            [epoch, begin],
        )
        count, oldest = cursor.fetchone()
    return count, oldest


@contextmanager
def _alone() -> Iterator[Any]:
    """One sealer at a time, in one transaction; a cursor in the form of leaves."""
    with transaction.atomic(using=SEALER), connections[SEALER].cursor() as cursor:
        lock(cursor)
        cursor.execute(FORM)
        yield cursor


def lock(cursor: Any) -> None:
    """Keep other sealers out until the end of the transaction."""
    cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])


def _next_seal() -> AuditSeal | None:
    """Seal the next batch below the horizon in a transaction of its own, or say that the sealer lives."""
    with _alone() as cursor:
        cursor.execute("SELECT pg_snapshot_xmin(pg_current_snapshot())::text")
        made = _batch(cursor, int(cursor.fetchone()[0])) or _heartbeat()
        if made:
            made.save(using=SEALER, force_insert=True)
    return made


def _batch(cursor: Any, horizon: int) -> AuditSeal | None:
    """The statement over the next events whose transactions are below `horizon`; None where there are none."""
    newest = heads.last()
    epoch, begin = _next(newest)
    end = _end_of_batch(cursor, epoch, begin, horizon)
    sealed = list(events(cursor, epoch, begin, end)) if end > begin else []
    return statement(newest, heads.SEAL, sealed, {"from": begin, "to": end}) if sealed else None


def _end_of_batch(cursor: Any, epoch: int, begin: int, horizon: int) -> int:
    """Where a batch of about BATCH events ends, between two transactions."""
    cursor.execute(
        f"SELECT txid FROM audit.{EVENTS} WHERE epoch = %s AND txid >= %s AND txid < %s "  # noqa: S608  # nosec B608
        "ORDER BY txid, seq OFFSET %s LIMIT 1",
        [epoch, begin, horizon, BATCH],
    )
    beyond = cursor.fetchone()
    return horizon if beyond is None else max(int(beyond[0]), begin + 1)


def _heartbeat() -> AuditSeal | None:
    """A statement over nothing, when none was made for a while."""
    newest = heads.last()
    if newest and timezone.now() - newest.row.time < HEARTBEAT:
        return None
    return statement(newest, heads.SEAL, [], {})


def _next(newest: heads.Head | None) -> tuple[int, int]:
    """The epoch in which events are written, and the transaction at which what is not sealed begins."""
    return (newest.said["epoch"], newest.begins) if newest else (1, 0)


def statement(newest: heads.Head | None, kind: str, sealed: list[Event], act: dict[str, Any]) -> AuditSeal:
    """The successor of the newest statement, over `sealed`; `act` adds what is particular to it."""
    hashes = [merkle.leaf_hash(event.line) for event in sealed]
    epoch, begin = _next(newest)
    before = newest.said if newest else {"number": 0, "size": 0}
    said = {
        "number": before["number"] + 1, "kind": kind, "time": f"{timezone.now():%Y-%m-%dT%H:%M:%S.%fZ}",
        "previous": newest.digest if newest else heads.NOTHING, "epoch": epoch, "covers": epoch,
        "from": begin, "to": begin, "count": len(sealed), "size": before["size"] + len(sealed),
        "root": merkle.root(hashes).hex(),
    }  # fmt: skip
    ends = {"first": sealed[0].uuid, "last": sealed[-1].uuid} if sealed else {}
    return heads.signed({**said, **ends, **act}, b"".join(map(entry, sealed, hashes)))
