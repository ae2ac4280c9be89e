"""PostgreSQL: whether it answers, fits this version, and has room."""

from datetime import timedelta
from typing import Any

from django.db import connections
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from .login import connected
from .registry import NEEDED, Problem, check

MOST_CONNECTIONS = 0.9  # share of max_connections
MOST_TRANSACTIONS = 1_500_000_000  # of two billion, after which PostgreSQL refuses to write
LONGEST = timedelta(minutes=15)  # of a transaction of this application

START = "Start PostgreSQL (`services status`, `services logs postgres`), then look with `health connection`."


@check("database", "database", limit=3, next_step=START, ready=NEEDED)
def answers() -> str:
    """Sign in as the application does, past its pool, which would wait for a server that is gone."""
    with connected() as connection:
        version, started = _row(connection, "SELECT current_setting('server_version'), pg_postmaster_start_time()")
    return f"PostgreSQL {version.split()[0]} answers; it runs since {started:%Y-%m-%d %H:%M} UTC."


@check("migrations", "database", limit=10, needs="database", next_step="Run `migrate --database owner`.")
def migrations() -> str:
    """Compare the tables with what this version expects."""
    executor = MigrationExecutor(connections["default"])
    waiting = [
        f"{each.app_label}.{each.name}" for each, _ in executor.migration_plan(executor.loader.graph.leaf_nodes())
    ]
    if waiting:
        raise Problem(f"{len(waiting)} migrations are not applied, the first is {waiting[0]}.")
    return "The tables are those of this version."


@check(
    "database-connections",
    "database",
    limit=5,
    needs="database",
    next_step="`performance connections` names who holds them.",
)
def connections_left() -> str:
    """Count the connections of everybody."""
    with connected() as connection:
        used, most = _row(
            connection,
            "SELECT count(*), current_setting('max_connections')::int FROM pg_stat_activity"
            " WHERE backend_type = 'client backend'",
        )
    if used > MOST_CONNECTIONS * most:
        raise Problem(f"{used} of {most} connections are in use.")
    return f"{used} of {most} connections are in use."


@check(
    "database-transactions",
    "database",
    limit=5,
    needs="database",
    next_step="`performance locks` tells who waits for whom.",
)
def long_transactions() -> str:
    """Look for a transaction of ours that never ends: it keeps VACUUM from its work and others waiting."""
    with connected() as connection:
        since, state, waiting = _row(
            connection,
            "SELECT min(xact_start), (array_agg(state ORDER BY xact_start))[1],"
            " (SELECT count(*) FROM pg_locks WHERE NOT granted) FROM pg_stat_activity"
            " WHERE xact_start IS NOT NULL AND pid <> pg_backend_pid() AND usename = current_user",
        )
    if since and timezone.now() - since > LONGEST:
        raise Problem(f"A transaction of the application ({state}) has not ended.", since=since)
    return f"No transaction is old; {waiting} wait for a lock."


@check(
    "transaction-ids",
    "database",
    limit=5,
    needs="database",
    next_step="Run `maintain vacuum` now; PostgreSQL stops taking writes at two billion.",
)
def transaction_ids() -> str:
    """How far the oldest row is from the end of the transaction numbers."""
    with connected() as connection:
        (age,) = _row(connection, "SELECT max(age(datfrozenxid)) FROM pg_database")
    if age > MOST_TRANSACTIONS:
        raise Problem(f"The oldest rows are {age} transactions old.")
    return f"The oldest rows are {age} transactions old, of two billion."


def _row(connection: Any, query: str) -> Any:
    with connection.cursor() as cursor:
        return cursor.execute(query).fetchone()
