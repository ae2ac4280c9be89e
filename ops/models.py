"""The models of the operations app."""

from .monitoring.history.models import Sample
from .proof.models import Backups
from .runs import Run

__all__ = ["Backups", "Run", "Sample"]
