"""Declare an emergency, and end it: each is in the trail, and the privacy officers hear of it at once.

HIPAA asks for a way in when there is no time to ask (45 CFR 164.312(a)(2)(ii)); what keeps it honest is that everybody
who goes it is asked why afterwards.
"""

from dataclasses import replace
from datetime import timedelta

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from compliance.breakglass.models import BreakGlass
from compliance.breakglass.tasks import tell_soon
from healthrecords import trail
from healthrecords.access import policy
from healthrecords.access.request import EMERGENCY, AccessRequest, Actor

LASTS = timedelta(minutes=60)
SHORTEST, LONGEST = 15, 1000  # characters of a reason


def may_declare(asked: AccessRequest) -> bool:
    """Whether the asker gives care: may use the purpose ETREAT, and read patients at all."""
    return EMERGENCY in asked.actor.purposes and policy.permit(asked.to("read", "Patient")).permitted


def declare(asked: AccessRequest, patient: str, reason: str) -> BreakGlass:
    """Open the records of one patient (logical id) to the asker for 60 minutes; raise ValidationError for the reason.

    Whoever calls has asked `may_declare` and knows that the patient exists.
    """
    said = " ".join(reason.split())
    if not SHORTEST <= len(said) <= LONGEST:
        raise ValidationError(f"Say in {SHORTEST} to {LONGEST} characters why this cannot wait.")
    now = timezone.now()
    who = asked.actor
    with transaction.atomic():
        declared = BreakGlass.objects.create(
            actor_kind=who.kind, actor_id=who.id, actor=who.name, patient=patient, reason=said,
            opened_at=now, expires_at=now + LASTS,
        )  # fmt: skip
        _record(asked, declared, "declared")
        transaction.on_commit(tell_soon)
    return declared


def end(asked: AccessRequest, declared: BreakGlass) -> None:
    """Close the records again before the time is up."""
    with transaction.atomic():
        live = BreakGlass.objects.select_for_update().get(pk=declared.pk)
        if live.is_live():
            live.ended_at = timezone.now()
            live.save(update_fields=["ended_at"])
            _record(asked, live, "ended")


def live_of(actor: Actor) -> list[BreakGlass]:
    """The actor's declarations that are in force now."""
    now = timezone.now()
    mine = BreakGlass.objects.filter(actor_kind=actor.kind, actor_id=actor.id, ended_at=None)
    return list(mine.filter(opened_at__lte=now, expires_at__gt=now))


def _record(asked: AccessRequest, declared: BreakGlass, what: str) -> None:
    fact = trail.Fact("break-glass", patient=declared.patient, detail=f"{what}: {declared.pk}")
    trail.record(replace(asked.to("break-glass", "Patient"), purpose=EMERGENCY), [fact])
