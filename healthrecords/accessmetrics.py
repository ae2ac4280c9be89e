"""Counts what the trail records, for Prometheus: by action and outcome, never by who or about whom.

A row that a rollback takes away again was still asked for, and stays counted.
"""

from prometheus_client import Counter

ACCESSES = Counter("phi_access", "Rows of the access log.", ["action", "outcome"])
DENIED = Counter("phi_access_denied", "Requests for records that were denied, by the kind of the asker.", ["actor"])
SIGN_IN_FAILURES = Counter("sign_in_failures", "Sign-ins that failed or were refused.")

# From the start at zero: of a series that begins with its first denial Prometheus sees no increase.
for _kind in ("user", "token", "client", "anonymous"):
    DENIED.labels(_kind)


def count(actor: str, action: str, outcome: str) -> None:
    """Count a row; `outcome` becomes `success`, `denied` or `failed`."""
    told = outcome if outcome in ("success", "denied") else "failed"
    ACCESSES.labels(action, told).inc()
    if told == "denied":
        DENIED.labels(actor).inc()
    if action == "sign-in" and told != "success":
        SIGN_IN_FAILURES.inc()
