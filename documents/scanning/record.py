"""What the scanner finds, in the trail: the scanner's own name for it, and which content and patients it concerns."""

from documents.models import Content
from healthrecords import trail
from healthrecords.access.request import SYSTEM, AccessRequest, Actor


def found(threat: str, sender: Actor) -> None:
    """Write down that an upload was refused; it outlives the request's rollback."""
    asked = AccessRequest(sender, "scan", "Binary")
    trail.record_apart(asked, [trail.Fact("scan", outcome="infected", detail=threat)])


def turned(content: Content, outcome: str, threat: str) -> None:
    """Write down that stored content turned out `infected`, or `clean` after all, for each patient it belongs to."""
    patients = sorted(set(content.uses.values_list("patient", flat=True)))
    subjects: list[str | None] = [*patients] or [None]
    facts = [
        trail.Fact("scan", outcome, patient, resources=(str(content),), versions=(1,), detail=threat)
        for patient in subjects
    ]
    trail.record_apart(AccessRequest(SYSTEM, "scan", "Binary"), facts)
