"""Vacuums and analyzes every table, one after the other, and says what keeps dead rows from going."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from django.db import DatabaseError

from healthrecords.cli import counted

from .indexes import SCHEMAS
from .turn import alone, lost, maintaining

Work = Literal["vacuum", "analyze"]
_STATEMENTS: dict[Work, str] = {"vacuum": "VACUUM (ANALYZE)", "analyze": "ANALYZE"}
MANY = 10_000  # dead rows that are worth a word
SHARE = 0.2  # of all rows

# Partitions go with their table, whose own statistics nothing but this makes: autovacuum leaves it out.
_TABLES = """
    SELECT c.oid::regclass::text, sum(pg_relation_size(p.relid))::bigint, sum(pg_stat_get_live_tuples(p.relid))::bigint,
           sum(pg_stat_get_dead_tuples(p.relid))::bigint
    FROM pg_class c CROSS JOIN LATERAL (
        SELECT relid FROM pg_partition_tree(c.oid) UNION SELECT c.oid
    ) p
    WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relpersistence = 'p'
      AND c.relnamespace = ANY(%s::regnamespace[])
    GROUP BY c.oid ORDER BY 2, 1
"""

# Rows that died after the oldest of these began are still seen by it.
_HOLDERS = """
    SELECT format('session %s of %s (%s, %s)', pid, usename, application_name, state), age(backend_xmin) AS age
    FROM pg_stat_activity WHERE backend_xmin IS NOT NULL AND pid <> pg_backend_pid()
    UNION ALL SELECT format('replication slot %s', slot_name), age(coalesce(xmin, catalog_xmin))
    FROM pg_replication_slots WHERE coalesce(xmin, catalog_xmin) IS NOT NULL
    UNION ALL SELECT format('prepared transaction %s', gid), age(transaction) FROM pg_prepared_xacts
    ORDER BY age DESC LIMIT 1
"""


@dataclass(frozen=True)
class Table:
    """A table, with its partitions; `size` in bytes, `live` and `dead` rows as the statistics have them."""

    name: str
    size: int
    live: int
    dead: int

    @property
    def bloated(self) -> bool:
        """Whether many of its rows are dead."""
        return self.dead >= MANY and self.dead > SHARE * (self.live + self.dead)


@dataclass
class Kept:
    """What a run did. `held` says what keeps dead rows, where many stayed."""

    work: Work
    done: list[dict[str, Any]] = field(default_factory=list)
    failed: list[dict[str, str]] = field(default_factory=list)
    bloated: list[str] = field(default_factory=list)
    held: str = ""


def plan() -> list[Table]:
    """The tables that `keep` would work on, smallest first."""
    with maintaining() as cursor:
        return _found(cursor)


def keep(work: Work, advance: Callable[[float], None] = lambda _: None) -> Kept:
    """Vacuum (and analyze) or analyze all; a table that is locked for long is told, and the others go on."""
    told = Kept(work)
    with alone(f"maintain {work}") as cursor:
        for table in _found(cursor):
            _keep(cursor, table, told)
            advance(table.size)
        _compare(cursor, told)
    return told


def _keep(cursor: Any, table: Table, told: Kept) -> None:
    try:
        cursor.execute(f"{_STATEMENTS[told.work]} {table.name}")
    except DatabaseError as fault:
        if lost():
            raise
        told.failed.append({"table": table.name, "why": str(fault).splitlines()[0]})
    else:
        told.done.append({"table": table.name, "bytes": table.size, "rows": table.live, "dead_before": table.dead})


def _compare(cursor: Any, told: Kept) -> None:
    """Note what is dead now, and what keeps it where that is much."""
    after = {table.name: table for table in _found(cursor)}
    for row in told.done:
        row["dead_after"] = after[row["table"]].dead if row["table"] in after else 0
    told.bloated = [table.name for table in after.values() if told.work == "vacuum" and table.bloated]
    if told.bloated:
        cursor.execute(_HOLDERS)
        told.held = next((row[0] for row in cursor.fetchall()), "")


def _found(cursor: Any) -> list[Table]:
    cursor.execute(_TABLES, [SCHEMAS])
    return [Table(*row) for row in cursor.fetchall()]


def told(found: Kept) -> str:
    """What was done, in a sentence or three."""
    verb = "Vacuumed and analyzed" if found.work == "vacuum" else "Analyzed"
    parts = [f"{verb} {counted(len(found.done), 'table')}."]
    if found.work == "vacuum":
        removed = sum(max(0, row["dead_before"] - row["dead_after"]) for row in found.done)
        parts[0] = f"{verb} {counted(len(found.done), 'table')}; {counted(removed, 'dead row')} went."
    if found.failed:
        parts.append(f"Locked by others: {', '.join(row['table'] for row in found.failed)}; run it again.")
    if found.bloated:
        why = f"the oldest transaction, {found.held}, still sees them" if found.held else "they died just now"
        parts.append(f"Many dead rows stay in {', '.join(found.bloated)}: {why}.")
    return " ".join(parts)
