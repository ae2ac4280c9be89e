"""What is looked at in a restored database before it is put in place."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import connections
from django.db.migrations.executor import MigrationExecutor
from django.utils.module_loading import import_string

from healthrecords.cli import host_request
from ops.backup.faults import BackupFault
from ops.backup.programs import run

from .instance import Instance


@dataclass(frozen=True)
class Findings:
    """Row counts by table, migrations that this version would still apply, and what is wrong with the pages."""

    rows: dict[str, int]
    migrations: tuple[str, ...]
    corruption: str

    @property
    def good(self) -> bool:
        """Whether the database may be put in place without a word; migrations are run by the next start."""
        return not self.corruption


def check(instance: Instance, pages: bool = True) -> Findings:
    """Check pages and indexes (pg_amcheck), count rows, compare migrations."""
    corruption = _pages(instance) if pages else ""
    return Findings(_rows(instance), _migrations(instance), corruption)


def _pages(instance: Instance) -> str:
    try:
        run("pg_amcheck", "--install-missing", "--jobs=2", "--no-dependent-toast", environment=instance.environment())
    except BackupFault as fault:
        return str(fault)
    return ""


def _rows(instance: Instance) -> dict[str, int]:
    with instance.connect() as connection:
        names = connection.execute(
            "SELECT format('%I.%I', nspname, relname) FROM pg_class "
            "JOIN pg_namespace ON pg_namespace.oid = relnamespace "
            "WHERE relkind IN ('r', 'p') AND NOT relispartition AND nspname NOT LIKE 'pg\\_%' "
            "AND nspname <> 'information_schema' ORDER BY 1"
        ).fetchall()
        return {name: _count(connection, name) for (name,) in names}


def _count(connection: Any, table: str) -> int:
    return int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])  # noqa: S608  # nosec B608  quoted


def _migrations(instance: Instance) -> tuple[str, ...]:
    with pointed(instance):
        executor = MigrationExecutor(connections["default"])
        if not executor.loader.applied_migrations:
            return ()
        plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
        return tuple(f"{migration.app_label}.{migration.name}" for migration, _ in plan)


def open_epoch(instance: Instance, reason: str) -> bool:
    """Let the audit trail open a new epoch in the restored database; False where none is plugged in."""
    if not settings.BACKUP_NEW_EPOCH:
        return False
    with pointed(instance):
        import_string(settings.BACKUP_NEW_EPOCH)(reason, host_request("restore database"))
    return True


@contextmanager
def pointed(instance: Instance) -> Iterator[None]:
    """Let Django's connections lead to the restored database, each by its own role."""
    there = {
        "HOST": str(instance.sockets),
        "PORT": instance.environment()["PGPORT"],
        "NAME": instance.environment()["PGDATABASE"],
    }
    before = {alias: {name: connections.settings[alias][name] for name in there} for alias in connections}
    _lead(dict.fromkeys(before, there))
    try:
        yield
    finally:
        _lead(before)


def _lead(where: dict[str, dict[str, Any]]) -> None:
    for alias, parts in where.items():
        connection: Any = connections[alias]
        connection.close()
        if getattr(connection, "pool", None):
            connection.close_pool()
        connections.settings[alias].update(parts)
