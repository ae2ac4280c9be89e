"""The services elsewhere are asked by the checks of health, which get all the time that they need."""

from ops.health.tests.conftest import unhurried

__all__ = ["unhurried"]
