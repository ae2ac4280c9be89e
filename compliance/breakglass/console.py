"""The emergency in the console: while it lasts, every page is for it alone, says so, and can end it."""

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from compliance.breakglass.declaring import live_of
from compliance.breakglass.models import BreakGlass
from healthrecords.access.request import EMERGENCY, Actor, actor_of_user
from healthrecords.console.notices import Notice
from patients.models import Patient


def purpose(request: HttpRequest, actor: Actor) -> str:
    """ETREAT while the person has an emergency open: then they see its patient and nobody else."""
    return EMERGENCY if EMERGENCY in actor.purposes and live_of(actor) else ""


def notices(request: HttpRequest) -> list[Notice]:
    """One for each emergency that the person has open."""
    actor = actor_of_user(request.user)
    return [_notice(declared) for declared in live_of(actor)] if EMERGENCY in actor.purposes else []


def _notice(declared: BreakGlass) -> Notice:
    patient = Patient.objects.live().filter(logical_id=declared.patient).first()
    minutes = max(1, round((declared.expires_at - timezone.now()).total_seconds() / 60))
    whom = str(patient) if patient else "a patient"
    left = f"{minutes} minute{'' if minutes == 1 else 's'} left"
    text = f"Emergency access to {whom}: {left}. Only this record is shown, and each look will be reviewed."
    return Notice(text, "error", reverse("admin:compliance_breakglass_end", args=[declared.pk]), button="End it now")
