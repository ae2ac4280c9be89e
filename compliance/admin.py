"""The compliance app's screens, each kept in the package of its subject."""

from compliance.phi_access import admin as phi_access
from compliance.review import admin as review

__all__ = ["phi_access", "review"]
