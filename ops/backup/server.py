"""What a backup asks the live server, by the backup role: its version, size, position, schema."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import unquote, urlsplit

import psycopg
from django.conf import settings

from healthrecords.redaction import scrub

from .faults import BackupFault

PATIENCE = 5  # seconds to connect


class DatabaseDown(BackupFault):
    """The server does not answer, or does not let the backup role in."""


@dataclass(frozen=True)
class Facts:
    """The server before a backup; `size` in bytes, `time` its clock."""

    version: str
    system: str
    timeline: int
    size: int
    lsn: str
    time: datetime
    schema: dict[str, str] | None
    tablespaces: int
    segment: int

    @property
    def major(self) -> int:
        """The major version."""
        return int(self.version.split(".")[0])


def login(application: str = "healthrecords_backup") -> dict[str, str]:
    """The environment by which libpq's programs sign in, so that no password is an argument."""
    if not settings.BACKUP_DATABASE_URL:
        raise BackupFault(
            "HEALTHCARE_BACKUP_DATABASE_URL is not set; backups sign in by the role healthrecords_backup."
        )
    parts = urlsplit(settings.BACKUP_DATABASE_URL)
    return {
        "PGHOST": unquote(parts.hostname or ""),
        "PGPORT": str(parts.port or 5432),
        "PGUSER": unquote(parts.username or ""),
        "PGPASSWORD": unquote(parts.password or ""),
        "PGDATABASE": parts.path.strip("/") or "healthrecords",
        "PGCONNECT_TIMEOUT": str(PATIENCE),
        "PGAPPNAME": application,
        "PGOPTIONS": "-c synchronous_commit=local",  # nothing of ours waits for the receiver
    }


@contextmanager
def connected() -> Iterator["psycopg.Connection[Any]"]:
    """Sign in by the backup role; raise DatabaseDown with the reason."""
    known = login()
    try:
        with psycopg.connect(
            host=known["PGHOST"],
            port=known["PGPORT"],
            user=known["PGUSER"],
            password=known["PGPASSWORD"],
            dbname=known["PGDATABASE"],
            connect_timeout=PATIENCE,
            application_name=known["PGAPPNAME"],
            options=known["PGOPTIONS"],
            autocommit=True,
        ) as connection:
            yield connection
    except psycopg.OperationalError as fault:
        raise DatabaseDown(told(str(fault))) from None


def told(text: str) -> str:
    """Turn what libpq says about a connection into a sentence."""
    if "authentication failed" in text:
        return "The database refuses the backup role's password; correct HEALTHCARE_BACKUP_DATABASE_URL."
    why = re.sub(r"\s+", " ", scrub(text)).strip().rstrip(".")[-200:]
    return f"The database does not answer ({why}); start it, or correct HEALTHCARE_BACKUP_DATABASE_URL."


def facts() -> Facts:
    """Ask the server; raise DatabaseDown."""
    with connected() as connection:
        row = connection.execute(
            "SELECT current_setting('server_version'), (SELECT system_identifier::text FROM pg_control_system()), "
            "(SELECT timeline_id FROM pg_control_checkpoint()), "
            "(SELECT sum(pg_database_size(oid)) FROM pg_database)::bigint, pg_current_wal_flush_lsn()::text, now(), "
            "(SELECT count(*) FROM pg_tablespace WHERE spcname NOT IN ('pg_default', 'pg_global')), "
            "pg_size_bytes(current_setting('wal_segment_size'))"
        ).fetchone()
        assert row  # noqa: S101  # nosec B101
        version, system, timeline, size, lsn, time, tablespaces, segment = row
        return Facts(version.split()[0], system, timeline, size, lsn, time, _schema(connection), tablespaces, segment)


def _schema(connection: "psycopg.Connection[Any]") -> dict[str, str] | None:
    """The last migration of each app, or None before the first."""
    if connection.execute("SELECT to_regclass('public.django_migrations')").fetchone() == (None,):
        return None
    return dict(connection.execute("SELECT app, max(name) FROM django_migrations GROUP BY app ORDER BY app").fetchall())
