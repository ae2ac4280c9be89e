"""Whose turn it is: maintenance and backups never run at the same time, and no two maintenances do."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.management.base import CommandError
from django.db import connections

from ops.backup.place import place

_LOCK = 0x6D61696E  # of the database, so that a rebuild whose command was killed is waited for on any host


class MaintenanceFault(CommandError):
    """It could not be done; the text is the sentence that the operator sees, with exit code 2."""


@contextmanager
def alone(what: str) -> Iterator[Any]:
    """Hold off backups and other maintenance; yields a cursor of the role for it.

    Raises BackupFault where a backup or other maintenance runs on this host, MaintenanceFault where one runs elsewhere
    and where the role is not known here.
    """
    with place().locked("backup", doing=what), maintaining() as cursor:
        _refuse_if(
            cursor, "EXISTS (SELECT FROM pg_stat_progress_basebackup)", "A backup runs; try again when it has ended."
        )
        _refuse_if(
            cursor,
            f"NOT pg_try_advisory_lock({_LOCK})",
            "The database is still at a maintenance that was begun before; `performance connections` shows it. "
            "Try again when it has ended.",
        )
        try:
            yield cursor
        finally:
            connections["maintenance"].close()  # the lock of the database ends with the session


@contextmanager
def maintaining() -> Iterator[Any]:
    """A cursor of the role that maintains; raise MaintenanceFault where this process does not know it."""
    with connections["maintenance"].cursor() as cursor:
        _refuse_if(
            cursor,
            "NOT pg_has_role(current_user, 'pg_maintain', 'USAGE')",
            "HEALTHCARE_DATABASE_MAINTENANCE_URL is not set here; maintenance signs in by the role "
            "healthrecords_maintenance (with compose, run it in worker-long).",
        )
        yield cursor


def _refuse_if(cursor: Any, condition: str, sentence: str) -> None:
    cursor.execute(f"SELECT {condition}")
    if cursor.fetchone()[0]:
        raise MaintenanceFault(sentence)


def lost() -> bool:
    """Whether the session has ended, so that nothing more can be asked in it."""
    session = connections["maintenance"].connection
    return session is None or session.closed
