"""Puts every value or blind index that is under an older key under the current one, while the server serves.

Batches are short transactions of the tables' owner, since append-only tables refuse everybody else. A row that somebody
else has locked is passed over, so that a request never waits for us in a circle; the next pass takes it. What is done
is seen from the values themselves: a rotation that was killed goes on where it was.
"""

import time
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import connections, transaction

from . import keys
from .columns import NO_ENVELOPE, SealedColumn, census, columns_of
from .envelope import CannotOpen

OWNER = "owner"
BATCH = 200  # rows of one transaction
PASSES = 3
PATIENCE = 60.0  # seconds to wait for transactions that may have sealed with the older key

Advance = Callable[[float], None]


def refuse_without_owner() -> None:
    """Raise ImproperlyConfigured where the role is not the tables' owner: append-only tables would stay as they are."""
    if settings.DATABASES[OWNER]["USER"] == settings.DATABASE_APP_ROLE:
        raise ImproperlyConfigured(
            "A rotation changes append-only tables, which only their owner may; set HEALTHCARE_DATABASE_OWNER_URL."
        )


def left_over(file: keys.KeyFile = keys.FIELD) -> int:
    """How many values are under a key of a file that is not the current one."""
    done = {file.ring(look=True).current.hex(), NO_ENVELOPE}
    return sum(number for counts in census(OWNER, file).values() for key, number in counts.items() if key not in done)


def rotate(advance: Advance, file: keys.KeyFile = keys.FIELD) -> tuple[int, set[str]]:
    """Renew what is under older keys of a file; return how many were, and the places of those that do not open."""
    _wait_for_processes(file)
    _wait_for_transactions()
    resealed, broken = 0, set[str]()
    for _ in range(PASSES):
        for column in columns_of(file):
            resealed += _reseal(column, file, broken, advance)
        if left_over(file) <= len(broken):
            break
        _wait_for_transactions()
    return resealed, broken


def _wait_for_processes(file: keys.KeyFile) -> None:
    """Until every process has looked at the key file since it was changed."""
    age = max(0.0, time.time() - file.path.stat().st_mtime)
    time.sleep(max(0.0, 2 * keys.LOOK_EVERY - age))


def _wait_for_transactions() -> None:
    """Until the transactions that are writing now have ended, or PATIENCE has."""
    deadline = time.monotonic() + PATIENCE
    with connections[OWNER].cursor() as cursor:
        cursor.execute("SELECT pg_snapshot_xmax(pg_current_snapshot())::text")
        mark = cursor.fetchone()[0]
        while time.monotonic() < deadline:
            cursor.execute("SELECT pg_snapshot_xmin(pg_current_snapshot()) >= %s::xid8", [mark])
            if cursor.fetchone()[0]:
                return
            time.sleep(0.2)


def _reseal(column: SealedColumn, file: keys.KeyFile, broken: set[str], advance: Advance) -> int:
    done, last, more = 0, None, True
    while more:
        rows, changed = _batch(column, file, last, broken)
        last, more, done = (rows[-1] if rows else None), bool(rows), done + changed
        advance(changed)
    return done


def _batch(column: SealedColumn, file: keys.KeyFile, after: Any, broken: set[str]) -> tuple[list[Any], int]:
    """Re-seal the next rows after the key `after`; return their keys, and how many were changed."""
    with transaction.atomic(using=OWNER), connections[OWNER].cursor() as cursor:
        rows = _take(cursor, column, file, after)
        changes = [change for row in rows if (change := _change(column, *row, broken))]
        if changes:
            cursor.executemany(
                f"UPDATE {column.table} SET {column.column} = %s "  # noqa: S608  # nosec B608
                f"WHERE {column.pk} = %s AND {column.column} = %s",
                changes,
            )
    return [row[0] for row in rows], len(changes)


def _take(cursor: Any, column: SealedColumn, file: keys.KeyFile, after: Any) -> list[tuple[Any, bytes, bytes]]:
    """Lock the next rows under an older key. The lock leaves readers alone, and references to the row."""
    beyond = "" if after is None else f"AND {column.pk} > %s "
    cursor.execute(
        f"SELECT {column.pk}, {column.column}, {column.source} FROM {column.table} WHERE {column.column} IS NOT NULL "  # noqa: S608  # nosec B608
        f"AND {column.key_id} NOT IN (%s, '') {beyond}ORDER BY {column.pk} LIMIT {BATCH} "
        "FOR NO KEY UPDATE SKIP LOCKED",
        [file.ring().current.hex(), *([] if after is None else [after])],
    )
    return [(pk, bytes(value), bytes(source or b"")) for pk, value, source in cursor.fetchall()]


def _change(
    column: SealedColumn, pk: Any, value: bytes, source: bytes, broken: set[str]
) -> tuple[bytes, Any, bytes] | None:
    aad = column.aad(pk)
    try:
        return column.renewed(source, aad), pk, value
    except CannotOpen:
        broken.add(aad)
        return None
