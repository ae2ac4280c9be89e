"""The models of the operations app."""

from .alerts.models import Alert, Watchdog
from .monitoring.history.models import Sample
from .proof.models import Backups
from .runs import Run

__all__ = ["Alert", "Backups", "Run", "Sample", "Watchdog"]
