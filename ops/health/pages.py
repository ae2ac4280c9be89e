"""Integrity below the rows: pages and indexes by amcheck, checksums, sequences, constraints, foreign keys."""

from collections.abc import Iterator
from typing import Any

import psycopg
from psycopg import sql

from .login import connected
from .registry import Problem, check

LONG = 1800.0  # seconds
MOST_NUMBERS = 0.8  # share of a sequence
RESTORE = "Take the server out of service and restore: `restore database latest` (docs/runbooks/backup.md)."

# Each statement checks one relation; the extension is made by deploy/postgres/roles.sql.
_CHECKS = {
    "r": "SELECT 'block ' || blkno || ': ' || msg FROM verify_heapam(%s::regclass) LIMIT 3",
    "btree": "SELECT bt_index_check(%s::regclass, true)",
    "gin": "SELECT gin_index_check(%s::regclass)",
}


@check("pages", "integrity", limit=LONG, needs="database", next_step=RESTORE)
def pages() -> str:
    """Every table, and every B-tree and GIN index with all that its table holds (amcheck)."""
    with connected() as connection:
        _refuse_without_amcheck(connection)
        connection.execute("SET statement_timeout = 0")
        relations = _relations(connection)
        for name, kind in relations:
            if fault := _fault(connection, name, kind):
                raise Problem(f"{name} is damaged: {fault}.", _mend(name, kind))
    return f"{len(relations)} tables and indexes are whole."


def _refuse_without_amcheck(connection: Any) -> None:
    if not connection.execute("SELECT FROM pg_extension WHERE extname = 'amcheck'").fetchall():
        raise Problem("The database has no amcheck, so that no page was looked at.", "Run deploy/postgres/roles.sql.")


def _relations(connection: Any) -> list[tuple[str, str]]:
    """Tables and indexes by their names, each with the key of its check; what is being built is left out."""
    found: list[tuple[str, str]] = connection.execute(
        "SELECT c.oid::regclass::text, coalesce(am.amname, c.relkind::text) FROM pg_class c"
        " LEFT JOIN pg_am am ON am.oid = c.relam AND c.relkind = 'i' LEFT JOIN pg_index i ON i.indexrelid = c.oid"
        " WHERE c.relnamespace IN ('public'::regnamespace, 'audit'::regnamespace)"
        " AND c.relkind IN ('r', 'i') AND coalesce(am.amname, 'btree') IN ('btree', 'gin')"
        " AND coalesce(i.indisvalid, true) AND c.relpersistence = 'p' ORDER BY c.relkind DESC, 1"
    ).fetchall()
    return found


def _fault(connection: Any, name: str, kind: str) -> str:
    """What amcheck says of one relation; empty where it is whole or gone meanwhile."""
    try:
        return "; ".join(row[0] for row in connection.execute(_CHECKS[kind], [name]).fetchall() if row[0])
    except psycopg.errors.UndefinedTable:
        return ""
    except (psycopg.errors.DataCorrupted, psycopg.errors.IndexCorrupted, psycopg.errors.InternalError_) as fault:
        return str(fault.diag.message_primary)


def _mend(name: str, kind: str) -> str:
    """A damaged index is made anew from its table; a damaged table comes from a backup."""
    return RESTORE if kind == "r" else f"Run `maintain reindex` for {name}; look at the disk for why."


@check("checksums", "integrity", limit=10, needs="database", next_step=RESTORE)
def checksums() -> str:
    """Pages whose checksum did not fit when they were read."""
    with connected() as connection:
        failures, last = _row(
            connection, "SELECT coalesce(sum(checksum_failures), 0), max(checksum_last_failure) FROM pg_stat_database"
        )
    if failures:
        raise Problem(f"{failures} pages failed their checksum when they were read.", since=last)
    return "No page failed its checksum."


@check(
    "constraints", "integrity", limit=30, needs="database", next_step="Look with psql \\d; see docs/runbooks/health.md."
)
def constraints() -> str:
    """Constraints, indexes and triggers that are there but not in force."""
    with connected() as connection:
        found = [f"{kind} {name}" for kind, name in connection.execute(_NOT_IN_FORCE).fetchall()]
    if found:
        raise Problem(f"Not in force: {', '.join(found)}.")
    return "All constraints, indexes and triggers are in force."


_NOT_IN_FORCE = (
    "SELECT 'constraint', conrelid::regclass || '.' || conname FROM pg_constraint"
    " WHERE connamespace IN ('public'::regnamespace, 'audit'::regnamespace) AND NOT (convalidated AND conenforced)"
    " UNION ALL SELECT 'index', indexrelid::regclass::text FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid"
    " WHERE relnamespace IN ('public'::regnamespace, 'audit'::regnamespace) AND NOT (indisvalid AND indisready)"
    " AND indexrelid NOT IN (SELECT index_relid FROM pg_stat_progress_create_index)"
    " UNION ALL SELECT 'trigger', tgrelid::regclass || '.' || tgname FROM pg_trigger"
    " JOIN pg_class ON pg_class.oid = tgrelid"
    " WHERE relnamespace IN ('public'::regnamespace, 'audit'::regnamespace) AND tgenabled = 'D'"
)


@check("foreign-keys", "integrity", limit=LONG, needs="database", next_step=RESTORE)
def foreign_keys() -> str:
    """Look for rows that name a row which is not there: a constraint does not prove that none came past it."""
    with connected() as connection:
        connection.execute("SET statement_timeout = 0")
        keys = connection.execute(_FOREIGN_KEYS).fetchall()
        found = [f"{count} in {key[0]}" for key in keys if (count := _orphans(connection, *key[1:]))]
    if found:
        raise Problem(f"Rows name rows that are not there: {', '.join(found)}.")
    return f"{len(keys)} foreign keys hold."


_FOREIGN_KEYS = """
    SELECT conrelid::regclass || '.' || conname, conrelid::regclass::text, confrelid::regclass::text,
        (SELECT attname FROM pg_attribute WHERE attrelid = conrelid AND attnum = conkey[1]),
        (SELECT attname FROM pg_attribute WHERE attrelid = confrelid AND attnum = confkey[1])
    FROM pg_constraint WHERE contype = 'f' AND conparentid = 0 AND connamespace = 'public'::regnamespace
        AND cardinality(conkey) = 1
        AND has_table_privilege(conrelid, 'SELECT') AND has_table_privilege(confrelid, 'SELECT')
    ORDER BY 1
"""


def _orphans(connection: Any, table: str, parent: str, column: str, key: str) -> int:
    """Names of tables come from regclass, which quotes them."""
    query = "SELECT count(*) FROM {} c WHERE {} IS NOT NULL AND NOT EXISTS (SELECT FROM {} p WHERE {} = {})"
    ours, theirs = sql.Identifier("c", column), sql.Identifier("p", key)
    return int(_row(connection, sql.SQL(query).format(sql.SQL(table), ours, sql.SQL(parent), theirs, ours))[0])


@check("sequences", "integrity", limit=60, needs="database", next_step="Set it past the largest: SELECT setval(…).")
def sequences() -> str:
    """Sequences that would give out a number twice, or that come to their end."""
    with connected() as connection:
        rows = connection.execute(_SEQUENCES).fetchall()
        found = list(_sequence_faults(connection, rows))
    if found:
        raise Problem(" ".join(found))
    return f"{len(rows)} sequences are ahead of their tables."


_SEQUENCES = """
    SELECT s.seqrelid::regclass::text, d.refobjid::regclass::text, a.attname,
        coalesce(pg_sequence_last_value(s.seqrelid), 0), s.seqmax
    FROM pg_sequence s
    JOIN pg_depend d ON d.objid = s.seqrelid
        AND d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass
    JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
    WHERE d.deptype IN ('a', 'i') AND has_sequence_privilege(s.seqrelid, 'USAGE')
        AND has_table_privilege(d.refobjid, 'SELECT')
"""


def _sequence_faults(connection: Any, rows: list[Any]) -> Iterator[str]:
    for name, table, column, last, most in rows:
        query = sql.SQL("SELECT coalesce(max({}), 0) FROM {}").format(sql.Identifier(column), sql.SQL(table))
        (largest,) = _row(connection, query)
        if largest > last:
            yield f"{name} is at {last} and {table} holds {largest}."
        elif last > MOST_NUMBERS * most:
            yield f"{name} is at {last} of {most}."


def _row(connection: Any, query: Any) -> Any:
    return connection.execute(query).fetchone()
