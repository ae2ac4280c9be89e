"""Where the signed statements of the audit trail go beside the object store, and how long events are kept,
and which logs the trail is compared with."""

from .environment import DATA_DIR, EMBEDDED, number, optional, optional_secret, words

AUDIT_WITNESS = optional("HEALTHCARE_WITNESS")
AUDIT_WITNESS_TOKEN = optional_secret("HEALTHCARE_WITNESS_TOKEN", shortest=20)
AUDIT_RETENTION_YEARS = number("HEALTHCARE_AUDIT_RETENTION_YEARS", 6, least=6)  # 45 CFR 164.316(b)(2)(i): six
AUDIT_REQUEST_LOGS = words("HEALTHCARE_REQUEST_LOGS", str(DATA_DIR / "logs" / "gunicorn*.log") if EMBEDDED else "")
