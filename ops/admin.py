"""The screens of operations."""

from .monitoring.history.admin import SampleAdmin
from .proof.admin import BackupsAdmin
from .schedule.admin import StandingAdmin

__all__ = ["BackupsAdmin", "SampleAdmin", "StandingAdmin"]
