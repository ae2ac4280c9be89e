"""The statements that take the most time, by their form alone: pg_stat_statements keeps no values."""

import re
from dataclasses import dataclass
from typing import Any, Literal

from django.core.management.base import CommandError
from django.db import DatabaseError, connections, transaction

Order = Literal["total", "mean", "max", "calls"]
_COLUMNS: dict[Order, str] = {
    "total": "total_exec_time", "mean": "mean_exec_time", "max": "max_exec_time", "calls": "calls",
}  # fmt: skip

_TOP = """
    SELECT queryid::text, rolname, calls, mean_exec_time, max_exec_time, total_exec_time, rows,
           100.0 * shared_blks_hit / nullif(shared_blks_hit + shared_blks_read, 0), query
    FROM pg_stat_statements JOIN pg_roles ON pg_roles.oid = userid
    WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database()) AND queryid IS NOT NULL
    ORDER BY {} DESC LIMIT %s
"""
_PLANNED = re.compile(r"\s*(SELECT|WITH|INSERT|UPDATE|DELETE)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Statement:
    """A form of statements since the statistics began; times in milliseconds, `hit` percent of blocks from memory."""

    id: str
    role: str
    calls: int
    mean: float
    max: float
    total: float
    rows: int
    hit: float | None
    form: str

    def as_row(self) -> dict[str, Any]:
        """What is shown of it."""
        return {
            "id": self.id, "role": self.role.removeprefix("healthrecords_"), "calls": self.calls,
            "mean_ms": round(self.mean, 2), "max_ms": round(self.max, 1), "total_s": round(self.total / 1000, 2),
            "rows": self.rows, "hit": None if self.hit is None else round(self.hit, 1),
            "statement": " ".join(self.form.split()),
        }  # fmt: skip


def slowest(order: Order = "total", limit: int = 10) -> list[Statement]:
    """The first of all forms by an order."""
    with connections["monitor"].cursor() as cursor:
        cursor.execute(_TOP.format(_COLUMNS[order]), [limit])
        return [Statement(*row) for row in cursor.fetchall()]


def plan(statement: str) -> list[str]:
    """The lines of the plan for any values (EXPLAIN GENERIC_PLAN); the statement is not run.

    By the application's role. Raises CommandError where the statement is not known or cannot be planned.
    """
    with connections["monitor"].cursor() as cursor:
        cursor.execute("SELECT query FROM pg_stat_statements WHERE queryid::text = %s LIMIT 1", [statement])
        row = cursor.fetchone()
    if not row:
        raise CommandError(f"No statement has the id {statement}; `performance queries` lists them.")
    if not _PLANNED.match(row[0]):
        raise CommandError("This statement has no plan; only SELECT, INSERT, UPDATE and DELETE have.")
    try:
        return _explained(row[0])
    except DatabaseError as fault:
        raise CommandError(f"PostgreSQL makes no plan of it ({str(fault).splitlines()[0]}).") from None


def _explained(form: str) -> list[str]:
    with transaction.atomic(), connections["default"].cursor() as cursor:
        cursor.execute("SET TRANSACTION READ ONLY")
        cursor.execute(f"EXPLAIN (GENERIC_PLAN) {form.replace('%', '%%')}", [])
        return [line for (line,) in cursor.fetchall()]


def average() -> tuple[float, int]:
    """The mean milliseconds of a statement of the application's role, and of how many."""
    with connections["monitor"].cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(sum(total_exec_time) / nullif(sum(calls), 0), 0)::float, coalesce(sum(calls), 0)::bigint "
            "FROM pg_stat_statements JOIN pg_roles ON pg_roles.oid = userid WHERE rolname = %s "
            "AND dbid = (SELECT oid FROM pg_database WHERE datname = current_database())",
            [connections["default"].settings_dict["USER"]],
        )
        mean, calls = cursor.fetchone()
        return float(mean), int(calls)
