"""Hands that reach around the application: the superuser's, and the trail's owner's without its triggers."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import psycopg
from django.db import connections

from compliance.audit import sealing
from compliance.audit.findings import Report
from compliance.audit.verification import Verification


@contextmanager
def superuser() -> Iterator[Any]:
    """A cursor of PostgreSQL's superuser in this test process's database; each statement commits by itself."""
    known = connections["default"].settings_dict
    passwords = Path(os.environ["HEALTHCARE_DATA_DIR"]) / "secrets" / "passwords.json"
    with psycopg.connect(
        host=known["HOST"],
        port=known["PORT"],
        dbname=known["NAME"],
        user="postgres",
        password=json.loads(passwords.read_text())["postgres"],
        autocommit=True,
        options="-c search_path=public,audit",
    ) as connection:
        yield connection.cursor()


@contextmanager
def unguarded() -> Iterator[Any]:
    """A superuser's cursor while the events' triggers are off; they are on again, as they were, afterwards."""
    with superuser() as cursor:
        cursor.execute("ALTER TABLE compliance_accessevent DISABLE TRIGGER audit_refuse")
        try:
            yield cursor
        finally:
            cursor.execute("ALTER TABLE compliance_accessevent ENABLE ALWAYS TRIGGER audit_refuse")


def backdate(patient: str, hours: float) -> None:
    """Let the events of a patient lie back in time."""
    with unguarded() as cursor:
        cursor.execute(
            "UPDATE compliance_accessevent SET time = time - %s * interval '1 hour' WHERE patient = %s",
            [hours, patient],
        )


def finished() -> None:
    """Wait until a seal would take every event there is: other test processes run transactions on the same server."""
    deadline = monotonic() + 20
    with connections["trail"].cursor() as cursor:
        cursor.execute("SELECT max(txid) FROM audit.compliance_accessevent")
        last = cursor.fetchone()[0]
        while monotonic() < deadline:
            cursor.execute("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint > %s", [last])
            if cursor.fetchone()[0]:
                return
            sleep(0.05)


def sealed() -> None:
    """Seal until nothing waits: a transaction of another test process may hold the horizon back."""
    deadline = monotonic() + 20
    sealing.seal()
    while sealing.unsealed()[0] and monotonic() < deadline:
        sleep(0.05)
        sealing.seal()


def verified(**span: Any) -> Report:
    """Verify as `audit verify` does."""
    return Verification(**span).run()
