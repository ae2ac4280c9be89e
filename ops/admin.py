"""The screens of operations."""

from .alerts.admin import AlertAdmin
from .health.admin import HealthStateAdmin
from .monitoring.history.admin import SampleAdmin
from .proof.admin import BackupsAdmin
from .schedule.admin import StandingAdmin

__all__ = ["AlertAdmin", "BackupsAdmin", "HealthStateAdmin", "SampleAdmin", "StandingAdmin"]
