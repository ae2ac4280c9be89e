"""The screens of operations."""

from .proof.admin import BackupsAdmin

__all__ = ["BackupsAdmin"]
