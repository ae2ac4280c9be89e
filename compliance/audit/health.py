"""Checks of the trail (setting HEALTH_CHECKS): whether it is sealed and shipped in time, and whether it verifies."""

from datetime import timedelta

from django.utils import timezone

from compliance.audit import shipping
from compliance.audit.status import status
from compliance.audit.verification import Verification
from healthrecords.cli import counted
from ops.health.registry import Problem, check

UNSEALED = timedelta(minutes=5)  # of an event; the timetable seals each minute
BEHIND = timedelta(hours=1)  # of a place outside

_ASK = "Start the worker, which seals (`services status`); `audit status` says more."


@check("audit-seal", "trail", limit=10, needs="database", next_step=_ASK)
def seal() -> str:
    """How long the oldest event has waited for a seal."""
    found = status()
    if found.oldest_unsealed_seconds > UNSEALED.total_seconds():
        since = timezone.now() - timedelta(seconds=found.oldest_unsealed_seconds)
        raise Problem(f"{counted(found.unsealed_events, 'event')} wait for a seal: the sealer stands.", since=since)
    return f"{counted(found.sealed_events, 'event')} are sealed; {found.unsealed_events} wait for the next minute."


@check("witness", "external", limit=10, needs="database", next_step="`audit status` says why; docs/security/audit.md.")
def witness() -> str:
    """Whether the places outside the database have what was sealed."""
    places = status().places
    for place in places:
        if place.waiting_seconds > BEHIND.total_seconds():
            since = timezone.now() - timedelta(seconds=place.waiting_seconds)
            raise Problem(f"Seals wait for the {place.place}. {place.fault}".strip(), since=since)
    told = ", ".join(f"the {place.place} up to statement {place.statement}" for place in places)
    return f"They have {told}." if told else "Nothing was shipped yet."


@check(
    "audit-trail", "integrity", limit=1800, needs="database", next_step="Treat it as a breach: docs/security/audit.md."
)
def trail() -> str:
    """Recompute everything that was sealed, and compare it with the places outside."""
    found = Verification().run()
    if status().places:  # before the first delivery no place knows anything
        shipping.compare(found)
    changed = [finding for finding in found.findings if finding.check != "place"]
    if changed:
        raise Problem(f"{counted(len(changed), 'finding')}: {changed[0].text}")
    if found.findings:  # nothing was changed, yet a place could not be asked
        raise Problem(found.findings[0].text, "Bring that place back, then run `audit verify`.")
    return f"{counted(found.events, 'event')} in {counted(found.statements, 'statement')} are as they were sealed."
