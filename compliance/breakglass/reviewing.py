"""The privacy officer's review of each emergency access, within 72 hours and by somebody else than who declared it."""

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from compliance.breakglass.models import BreakGlass, Outcome
from healthrecords import trail
from healthrecords.access.request import AccessRequest


def review(asked: AccessRequest, declared: BreakGlass, outcome: str, notes: str) -> None:
    """Write down what was found; raise ValidationError for one's own, an unknown outcome, or a finding without notes.

    A finding stands: only what is to be followed up may be decided once more.
    """
    if outcome not in Outcome.values:
        raise ValidationError("Choose what the review found.")
    if outcome != Outcome.JUSTIFIED and not notes.strip():
        raise ValidationError("Say in the notes what was found and what follows from it.")
    with transaction.atomic():
        row = BreakGlass.objects.select_for_update().get(pk=declared.pk)
        if (row.actor_kind, row.actor_id) == (asked.actor.kind, asked.actor.id):
            raise ValidationError("Somebody else must review this: it was you who declared it.")
        if row.outcome not in ("", Outcome.FOLLOW_UP):
            raise ValidationError(f"{row.reviewer} has decided this already.")
        row.outcome, row.notes = outcome, notes.strip()
        row.reviewer_id, row.reviewer, row.reviewed_at = asked.actor.id, asked.actor.name, timezone.now()
        row.save(update_fields=["outcome", "notes", "reviewer_id", "reviewer", "reviewed_at"])
        fact = trail.Fact("break-glass", patient=row.patient, detail=f"reviewed, {outcome}: {row.pk}")
        trail.record(asked.to("update", "Patient"), [fact])
