"""Who is connected and who waits for whom, by the monitor's role; never the values of a statement.

The text of a running statement holds values. What is shown is its form in pg_stat_statements, or where it ran never
before to its end, its first word.
"""

from dataclasses import dataclass
from typing import Any

from django.core.management.base import CommandError
from django.db import ProgrammingError, connections

IDLE = 60.0  # seconds in a transaction without work that are worth a word
FORM = 300  # characters of a statement's form that are shown

_SESSIONS = r"""
    WITH forms AS MATERIALIZED (
        SELECT DISTINCT ON (queryid) queryid, query FROM pg_stat_statements ORDER BY queryid, calls DESC
    ), waits AS (
        SELECT DISTINCT ON (pid) pid, coalesce(relation::regclass::text, 'row of a transaction') AS lock, waitstart
        FROM pg_locks WHERE NOT granted ORDER BY pid, waitstart
    )
    SELECT pid, usename, application_name, coalesce(host(client_addr), 'local'), coalesce(state, 'unknown'),
           coalesce(extract(epoch FROM clock_timestamp() - xact_start), 0)::float,
           coalesce(extract(epoch FROM clock_timestamp() - state_change), 0)::float,
           coalesce(extract(epoch FROM clock_timestamp() - waitstart), 0)::float,
           coalesce(wait_event_type || ' ' || wait_event, ''), lock, pg_blocking_pids(pid),
           coalesce(left(regexp_replace(forms.query, '\s+', ' ', 'g'), %s), upper(substring(a.query FROM '\w+')), '')
    FROM pg_stat_activity a LEFT JOIN forms ON queryid = query_id LEFT JOIN waits USING (pid)
    WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()
    ORDER BY pid
"""


@dataclass(frozen=True)
class Session:
    """One session of the database; times in seconds. `waits_for` names the lock, `blockers` who holds it."""

    pid: int
    role: str
    application: str
    host: str
    state: str
    in_transaction: float
    in_state: float
    waiting: float
    event: str
    waits_for: str | None
    blockers: list[int]
    statement: str

    @property
    def forgotten(self) -> bool:
        """Whether it keeps a transaction open in which nothing happens."""
        return self.state.startswith("idle in transaction") and self.in_state >= IDLE

    def as_row(self) -> dict[str, Any]:
        """What is shown of it."""
        return {
            "pid": self.pid, "application": self.application, "role": self.role, "host": self.host,
            "state": self.state, "seconds": round(self.in_state, 1), "transaction": round(self.in_transaction, 1),
            "waits": self.event if self.state == "active" else "", "statement": self.statement,
        }  # fmt: skip


@dataclass(frozen=True)
class Waiting:
    """A session in the tree of who waits: below whom it stands, `depth` levels deep."""

    session: Session
    depth: int

    def as_row(self) -> dict[str, Any]:
        """What is shown of it: who holds comes first, who waits for it below, indented."""
        each = self.session
        return {
            "who": f"{'  ' * self.depth}{each.pid}", "application": each.application, "role": each.role,
            "state": each.state, "transaction": round(each.in_transaction, 1), "waiting": round(each.waiting, 1),
            "for": each.waits_for or "", "statement": each.statement,
        }  # fmt: skip


def sessions() -> list[Session]:
    """Every session of this database but our own."""
    with connections["monitor"].cursor() as cursor:
        cursor.execute(_SESSIONS, [FORM])
        return [Session(*row) for row in cursor.fetchall()]


def most() -> int:
    """How many sessions the server takes, without those kept for superusers."""
    with connections["monitor"].cursor() as cursor:
        cursor.execute(
            "SELECT current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int"
        )
        return int(cursor.fetchone()[0])


def tree(found: list[Session]) -> list[Waiting]:
    """Who waits for whom: whoever holds others up and waits for nobody comes first, each followed by who waits for it.

    A session that waits for several stands below each; one in a circle (a deadlock, which PostgreSQL ends) once.
    """
    by_pid = {each.pid: each for each in found}
    held_up = {pid: [each for each in found if pid in each.blockers] for pid in by_pid}
    roots = [by_pid[pid] for pid, waiting in held_up.items() if waiting and not by_pid[pid].blockers]
    return [each for root in roots for each in _below(root, held_up, (root.pid,))]


def _below(session: Session, held_up: dict[int, list[Session]], path: tuple[int, ...]) -> list[Waiting]:
    lines = [Waiting(session, len(path) - 1)]
    for each in held_up[session.pid]:
        if each.pid not in path:
            lines += _below(each, held_up, (*path, each.pid))
    return lines


def end(pid: int) -> None:
    """End a session of this database; its transaction is rolled back. Raises CommandError where it cannot."""
    if pid not in {each.pid for each in sessions()}:
        raise CommandError(f"No session of this database has the number {pid}; `performance connections` lists them.")
    try:
        with connections["default"].cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
    except ProgrammingError:
        raise CommandError(
            f"Session {pid} belongs to another role than the application's; as PostgreSQL's superuser run "
            f"SELECT pg_terminate_backend({pid})."
        ) from None
