"""Rebuilds indexes while everybody works: concurrently, one at a time, and nothing half made stays behind."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.db import DatabaseError

from .turn import alone, lost, maintaining

log = logging.getLogger(__name__)

SCHEMAS = ["public", "audit"]
_TRIES = 10  # to drop a leftover, which gives way to whoever uses its table

# An index that a CREATE INDEX CONCURRENTLY left invalid is among them: a rebuild makes it valid. Exclusion constraints
# and the heads of partitioned indexes cannot be rebuilt concurrently; the partitions' own are.
_INDEXES = r"""
    SELECT i.indexrelid, i.indexrelid::regclass::text, i.indrelid::regclass::text, pg_relation_size(i.indexrelid)
    FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
    WHERE c.relkind = 'i' AND c.relpersistence = 'p' AND c.relnamespace = ANY(%s::regnamespace[])
      AND NOT i.indisexclusion AND (NOT i.indisvalid AND c.relname ~ '_cc(new|old)[0-9]*$') = %s
    ORDER BY 4, 2
"""


@dataclass(frozen=True)
class Index:
    """An index by its qualified name; `size` in bytes."""

    oid: int
    name: str
    table: str
    size: int


@dataclass
class Rebuilt:
    """What a run did: rows with `index`, `table`, `before`, `after` (bytes), `seconds`; what failed, and why."""

    done: list[dict[str, Any]] = field(default_factory=list)
    failed: list[dict[str, str]] = field(default_factory=list)
    leftovers: list[str] = field(default_factory=list)


def plan() -> tuple[list[Index], list[Index]]:
    """The indexes that `rebuild` would rebuild, smallest first, and the leftovers that it would drop before."""
    with maintaining() as cursor:
        return _found(cursor, leftovers=False), _found(cursor, leftovers=True)


def rebuild(advance: Callable[[float], None] = lambda _: None) -> Rebuilt:
    """Rebuild all; one that cannot be rebuilt is told, and the others go on. Safe to run again after it was cut off."""
    told = Rebuilt()
    with alone("maintain reindex") as cursor:
        _drop_leftovers(cursor, told)
        for index in _found(cursor, leftovers=False):
            _rebuild(cursor, index, told)
            advance(index.size)
    return told


def _rebuild(cursor: Any, index: Index, told: Rebuilt) -> None:
    started = time.monotonic()
    try:
        cursor.execute(f"REINDEX INDEX CONCURRENTLY {index.name}")
    except DatabaseError as fault:
        if lost():
            raise
        told.failed.append({"index": index.name, "why": str(fault).splitlines()[0]})
        _drop_leftovers(cursor, told)
        return
    cursor.execute("SELECT pg_relation_size(to_regclass(%s))", [index.name])
    told.done.append({
        "index": index.name, "table": index.table, "before": index.size, "after": cursor.fetchone()[0],
        "seconds": round(time.monotonic() - started, 2),
    })  # fmt: skip


def _found(cursor: Any, leftovers: bool) -> list[Index]:
    cursor.execute(_INDEXES, [SCHEMAS, leftovers])
    return [Index(*row) for row in cursor.fetchall()]


def _drop_leftovers(cursor: Any, told: Rebuilt) -> None:
    """Drop what a rebuild that was cut off left, which costs every write and serves nobody."""
    for index in _found(cursor, leftovers=True):
        if _drop(cursor, index):
            told.leftovers.append(index.name)
        else:
            told.failed.append({"index": index.name, "why": "this leftover is in use and was not dropped"})


def _drop(cursor: Any, index: Index) -> bool:
    for _ in range(_TRIES):
        try:
            cursor.execute("SELECT drop_leftover_index(%s)", [index.oid])
            return bool(cursor.fetchone()[0])
        except DatabaseError as fault:
            if lost():
                raise
            log.warning("%s is in use and was not dropped yet: %s", index.name, type(fault).__name__)
            time.sleep(0.5)
    return False


def told(found: Rebuilt) -> str:
    """What was done, in a sentence or three."""
    before, after = (sum(row[key] for row in found.done) for key in ("before", "after"))
    parts = [f"Rebuilt {len(found.done)} indexes; they had {_mb(before)} MB and have {_mb(after)} MB."]
    if found.leftovers:
        parts.append(f"Dropped what an interrupted run left: {', '.join(found.leftovers)}.")
    if found.failed:
        parts.append(f"Not rebuilt: {', '.join(row['index'] for row in found.failed)}; run it again at a quieter time.")
    return " ".join(parts)


def _mb(size: int) -> str:
    return f"{size / 1e6:.1f}"
