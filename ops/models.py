"""The models of the operations app."""

from .alerts.models import Alert, Watchdog
from .health.models import HealthState
from .monitoring.history.models import Sample
from .proof.models import Backups
from .runs import Run
from .schedule.models import Pulse, Standing, Trouble

__all__ = ["Alert", "Backups", "HealthState", "Pulse", "Run", "Sample", "Standing", "Trouble", "Watchdog"]
