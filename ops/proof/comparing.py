"""Compares a restored database with the live one: rows and newest times of every table, at one moment of the log.

The live tables are counted just before and just after that moment; what the copy holds lies between the two.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

_SLACK = 10  # rows, and seconds, that a table may be off which changed meanwhile: rows come and go
_TABLES = """
SELECT format('%I.%I', nspname, relname), array(
    SELECT format('max(%I)', attname) FROM pg_attribute
    WHERE attrelid = pg_class.oid AND atttypid = 'timestamptz'::regtype AND attnum > 0 AND NOT attisdropped)
FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
WHERE relkind IN ('r', 'p') AND NOT relispartition AND relpersistence = 'p'
    AND nspname NOT LIKE 'pg\\_%' AND nspname <> 'information_schema'
ORDER BY 1
"""


@dataclass(frozen=True)
class Count:
    """The rows of a table, and the newest time in it, in seconds since 1970; 0 where it has none."""

    rows: int
    newest: float


Counts = dict[str, Count]


def count(connection: Any) -> Counts:
    """Count every table."""
    tables = connection.execute(_TABLES).fetchall()
    return {name: Count(*connection.execute(_query(name, newest)).fetchone()) for name, newest in tables}


def _query(table: str, newest: list[str]) -> str:
    time = f"coalesce(extract(epoch FROM greatest({', '.join(newest)})), 0)::float8" if newest else "0::float8"
    return f"SELECT count(*), {time} FROM {table}"  # noqa: S608  # nosec B608  quoted by the server


def differences(before: Counts, after: Counts, copy: Counts) -> Iterator[str]:
    """One sentence for each table of which the copy holds more or less than the live database did."""
    for name in sorted(before.keys() & after.keys()):
        if name not in copy:
            yield f"The table {name} is missing in the copy."
        elif not _between(before[name], after[name], copy[name]):
            yield (
                f"The table {name} has {copy[name].rows} rows in the copy, and had {before[name].rows} to "
                f"{after[name].rows} in the database; or its newest times differ."
            )


def _between(before: Count, after: Count, copy: Count) -> bool:
    slack = 0 if before == after else _SLACK
    return all(
        min(first, last) - slack <= found <= max(first, last) + slack
        for first, last, found in ((before.rows, after.rows, copy.rows), (before.newest, after.newest, copy.newest))
    )
