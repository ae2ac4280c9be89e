"""The compliance app's models, each kept in the package of its subject."""

from compliance.audit.models import AuditSeal, AuditShipment
from compliance.phi_access.models import AccessEvent

__all__ = ["AccessEvent", "AuditSeal", "AuditShipment"]
