"""Where the signed statements of the audit trail go beside the object store."""

from .environment import optional

AUDIT_WITNESS = optional("HEALTHCARE_WITNESS")
