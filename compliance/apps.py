"""The compliance app: who may see what, and the trail of who did."""

from typing import Any

from django.apps import AppConfig
from django.db import connections
from django.db.models.signals import post_migrate


class ComplianceConfig(AppConfig):
    name = "compliance"

    def ready(self) -> None:
        post_migrate.connect(_make_months, sender=self)


def _make_months(using: str, **_: Any) -> None:
    """Make the trail's months, so that a server that was off for long can write its first event."""
    with connections[using].cursor() as cursor:
        cursor.execute("SELECT has_function_privilege(to_regproc('audit.audit_make_partitions'), 'EXECUTE')")
        if cursor.fetchone() == (True,):
            cursor.execute("SELECT audit.audit_make_partitions()")
