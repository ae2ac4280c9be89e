"""Where the signed statements of the audit trail go beside the object store, and how long events are kept."""

from .environment import number, optional

AUDIT_WITNESS = optional("HEALTHCARE_WITNESS")
AUDIT_RETENTION_YEARS = number("HEALTHCARE_AUDIT_RETENTION_YEARS", 6, least=6)  # 45 CFR 164.316(b)(2)(i): six
