"""Counts what the trail records, for Prometheus: by action and outcome, never by who or about whom.

A row that a rollback takes away again was still asked for, and stays counted.
"""

from prometheus_client import Counter

from healthrecords.access import acting
from healthrecords.access.request import EMERGENCY, AccessRequest

ACCESSES = Counter("phi_access", "Rows of the access log.", ["action", "outcome"])
DENIED = Counter("phi_access_denied", "Requests for records that were denied, by the kind of the asker.", ["actor"])
DECISIONS = Counter("consent_decisions", "Patients' records shown or withheld, by what consent said.", ["outcome"])
SIGN_IN_FAILURES = Counter("sign_in_failures", "Sign-ins that failed or were refused.")
DISCLOSING = frozenset({"read", "search", "history"})

# From the start at zero: of a series that begins with its first denial Prometheus sees no increase.
for _kind in ("user", "token", "client", "anonymous"):
    DENIED.labels(_kind)
for _outcome in ("permitted", "emergency", "withheld", "none"):
    DECISIONS.labels(_outcome)


def count(asked: AccessRequest, action: str, outcome: str, shows: bool) -> None:
    """Count a row; `outcome` becomes `success`, `denied` or `failed`. `shows`: it names a version of a record."""
    told = outcome if outcome in ("success", "denied") else "failed"
    ACCESSES.labels(action, told).inc()
    if told == "denied":
        DENIED.labels(asked.actor.kind).inc()
    if action == "sign-in" and told != "success":
        SIGN_IN_FAILURES.inc()
    if shows and action in DISCLOSING and told == "success":
        DECISIONS.labels(_decision(asked)).inc()


def withheld() -> None:
    """Count a record that is there and was kept from the asker, whom nothing tells so."""
    DECISIONS.labels("withheld").inc()


def _decision(asked: AccessRequest) -> str:
    """What consent said of a disclosure; `none` where the policy was not asked at all, which must not be."""
    if not acting.consulted():
        return "none"
    return "emergency" if asked.purpose == EMERGENCY else "permitted"
