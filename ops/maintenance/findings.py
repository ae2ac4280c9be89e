"""What maintenance should look at: room that holds nothing, indexes nobody uses or that are there twice, old tables.

Measured by the monitor's role (pgstattuple), which sees pages and no rows. It reads whole indexes: a job for the night.
"""

from dataclasses import dataclass, field
from typing import Any

from django.db import connections

from .indexes import SCHEMAS

SMALLEST = 1 << 20  # bytes of a table or index that is measured
MUCH, SHARE = 64 << 20, 0.3  # wasted bytes, and the share of its size, that are worth a word
FILLED = 90.0  # percent of a leaf page that a fresh index fills
CLOSE = 1.5  # times the age at which autovacuum freezes a table

_TABLES = """
    WITH large AS MATERIALIZED (
        SELECT oid FROM pg_class
        WHERE relkind = 'r' AND relnamespace = ANY(%s::regnamespace[]) AND pg_relation_size(oid) >= %s
    )
    SELECT oid::regclass::text, table_len, dead_tuple_len + approx_free_space FROM large, pgstattuple_approx(oid)
"""
_INDEXES = """
    WITH large AS MATERIALIZED (
        SELECT c.oid FROM pg_index JOIN pg_class c ON c.oid = indexrelid JOIN pg_am a ON a.oid = c.relam
        WHERE amname = 'btree' AND c.relkind = 'i' AND indisvalid AND c.relnamespace = ANY(%s::regnamespace[])
          AND pg_relation_size(c.oid) >= %s
    )
    SELECT oid::regclass::text, index_size, index_size * greatest(0, 1 - nullif(avg_leaf_density, 'NaN') / %s)
    FROM large, pgstatindex(oid)
"""
_UNUSED = """
    SELECT indexrelid::regclass::text, relid::regclass::text, pg_relation_size(indexrelid)
    FROM pg_stat_user_indexes JOIN pg_index USING (indexrelid)
    WHERE idx_scan = 0 AND NOT indisunique AND schemaname = ANY(%s) AND pg_relation_size(indexrelid) >= %s
    ORDER BY 3 DESC
"""
_TWICE = """
    SELECT array_agg(i.indexrelid::regclass::text ORDER BY indisprimary DESC, indisunique DESC, indexrelid),
           indrelid::regclass::text
    FROM pg_index i JOIN pg_class c ON c.oid = indexrelid
    WHERE c.relkind = 'i' AND c.relnamespace = ANY(%s::regnamespace[])
    GROUP BY indrelid, relam, indkey::text, indclass::text, indcollation::text, indoption::text,
             pg_get_expr(indexprs, indrelid), pg_get_expr(indpred, indrelid)
    HAVING count(*) > 1
"""
_INVALID = """
    SELECT indexrelid::regclass::text FROM pg_index JOIN pg_class c ON c.oid = indexrelid
    WHERE NOT indisvalid AND c.relnamespace = ANY(%s::regnamespace[])
"""
_OLD = """
    SELECT c.oid::regclass::text, greatest(age(relfrozenxid), mxid_age(relminmxid)),
           current_setting('autovacuum_freeze_max_age')::bigint
    FROM pg_class c WHERE relkind IN ('r', 't', 'm')
      AND age(relfrozenxid) > %s * current_setting('autovacuum_freeze_max_age')::bigint
    ORDER BY 2 DESC
"""


@dataclass
class Findings:
    """What was found. `bloat`: rows with `of`, `bytes`, `wasted`; `wasted` is the sum of all that was measured."""

    wasted: int = 0
    bloat: list[dict[str, Any]] = field(default_factory=list)
    unused: list[dict[str, Any]] = field(default_factory=list)
    twice: list[dict[str, Any]] = field(default_factory=list)
    invalid: list[str] = field(default_factory=list)
    old: list[dict[str, Any]] = field(default_factory=list)
    since: str = ""

    @property
    def wrong(self) -> bool:
        """Whether something should be done; an index that nobody used may yet be needed, by a report once a year."""
        return bool(self.bloated or self.twice or self.invalid or self.old)

    @property
    def bloated(self) -> list[str]:
        """The names of what holds much room for nothing."""
        return [row["of"] for row in self.bloat if row["wasted"] >= MUCH and row["wasted"] > SHARE * row["bytes"]]


def find() -> Findings:
    """Measure and look."""
    with connections["monitor"].cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")

        def ask(question: str, *values: Any) -> list[tuple[Any, ...]]:
            cursor.execute(question, values)
            return list(cursor.fetchall())

        try:
            return _found(ask)
        finally:
            cursor.execute("RESET statement_timeout")


def _found(ask: Any) -> Findings:
    measured = ask(_TABLES, SCHEMAS, SMALLEST) + ask(_INDEXES, SCHEMAS, SMALLEST, FILLED)
    rows = [{"of": name, "bytes": int(size), "wasted": int(wasted or 0)} for name, size, wasted in measured]
    begun = ask(
        "SELECT coalesce(stats_reset, pg_postmaster_start_time())::date::text FROM pg_stat_database "
        "WHERE datname = current_database()"
    )
    return Findings(
        wasted=sum(row["wasted"] for row in rows),
        bloat=sorted(rows, key=lambda row: -row["wasted"])[:20],
        unused=[
            {"index": name, "table": table, "bytes": size} for name, table, size in ask(_UNUSED, SCHEMAS, SMALLEST)
        ],
        twice=[{"table": table, "keep": names[0], "drop": names[1:]} for names, table in ask(_TWICE, SCHEMAS)],
        invalid=[name for (name,) in ask(_INVALID, SCHEMAS)],
        old=[{"table": name, "age": age, "freezes_at": limit} for name, age, limit in ask(_OLD, CLOSE)],
        since=begun[0][0],
    )


def told(found: Findings) -> str:
    """What was found, in some sentences."""
    parts = [f"{found.wasted / 1e6:.1f} MB of tables and indexes hold nothing."]
    if found.bloated:
        parts.append(f"Much of {', '.join(found.bloated)}: `maintain reindex` frees indexes, `VACUUM FULL` tables.")
    if found.twice:
        parts.append(f"There twice: {', '.join(name for row in found.twice for name in row['drop'])}.")
    if found.invalid:
        parts.append(f"Not valid: {', '.join(found.invalid)}; `maintain reindex` mends them.")
    if found.old:
        parts.append(f"Long not frozen: {', '.join(row['table'] for row in found.old)}; run `maintain vacuum` now.")
    if found.unused:
        parts.append(f"Large indexes that nobody used since {found.since}: {len(found.unused)}.")
    return " ".join(parts)
