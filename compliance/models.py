"""The compliance app's models, each kept in the package of its subject."""

from compliance.phi_access.models import AccessEvent

__all__ = ["AccessEvent"]
