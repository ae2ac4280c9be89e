"""The models of the operations app."""

from .proof.models import Backups
from .runs import Run

__all__ = ["Backups", "Run"]
