"""The screens of operations."""

from .monitoring.history.admin import SampleAdmin
from .proof.admin import BackupsAdmin

__all__ = ["BackupsAdmin", "SampleAdmin"]
