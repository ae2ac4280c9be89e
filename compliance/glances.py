"""What the home page says of the trail, to operators, and of what waits for a review, to whoever reviews."""

from collections.abc import Iterator

from django.http import HttpRequest
from django.urls import reverse

from compliance.audit.status import status
from compliance.breakglass.models import BreakGlass
from compliance.review.models import Finding, Verdict
from healthrecords.access.policy import permit
from healthrecords.console.glances import Glance
from healthrecords.console.minutes import asked_of

LATE = 180  # seconds that an event may wait for its seal; the alert AuditTrailNotSealed has the same limit


def seal(request: HttpRequest) -> Iterator[Glance]:
    """How old the newest seal is, and whether events wait too long for one."""
    if not permit(asked_of(request, "search", "Operations")).permitted:
        return
    now = status()
    state = "grave" if now.last_seal_seconds is None or now.oldest_unsealed_seconds > LATE else "good"
    text = "Not sealed yet" if now.last_seal_seconds is None else f"{_minutes(now.last_seal_seconds)} ago"
    waiting = f"events without a seal: {now.unsealed_events}"
    yield Glance("Seal of the trail", text, f"{reverse('admin:ops_sample_changelist')}#unsealed", state, waiting)


def reviews(request: HttpRequest) -> Iterator[Glance]:
    """Emergencies and findings that nobody has reviewed yet."""
    if permit(asked_of(request, "update", "Review")).permitted:
        open_findings = Finding.objects.filter(verdict=Verdict.OPEN).count()
        yield _waiting("Unusual access", open_findings, False, "compliance_finding")
        emergencies = list(BreakGlass.objects.filter(reviewed_at=None))
        late = any(each.is_overdue for each in emergencies)
        yield _waiting("Emergency access", len(emergencies), late, "compliance_breakglass")


def _waiting(title: str, count: int, late: bool, screen: str) -> Glance:
    state = "grave" if late else "caution" if count else "good"
    text = f"{count} to review" if count else "Nothing to review"
    return Glance(title, text, reverse(f"admin:{screen}_changelist"), state, "some are overdue" if late else "")


def _minutes(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
