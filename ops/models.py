"""The models of the operations app."""

from .runs import Run

__all__ = ["Run"]
