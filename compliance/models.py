"""The compliance app's models, each kept in the package of its subject."""

from compliance.accounting.models import EnteredDisclosure
from compliance.audit.models import AuditSeal, AuditShipment
from compliance.breakglass.models import BreakGlass
from compliance.consent.models import AbsoluteMark, Consent, ConsentIdentifier, Coverage, Provision, PurposeDefault
from compliance.phi_access.models import AccessEvent
from compliance.review.models import Finding, FindingNote, ReviewLimit, WatchedPatient

__all__ = [
    "AbsoluteMark",
    "AccessEvent",
    "AuditSeal",
    "AuditShipment",
    "BreakGlass",
    "Consent",
    "ConsentIdentifier",
    "Coverage",
    "EnteredDisclosure",
    "Finding",
    "FindingNote",
    "Provision",
    "PurposeDefault",
    "ReviewLimit",
    "WatchedPatient",
]
