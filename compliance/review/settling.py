"""What officers decide: limits of the rules, who is watched, what became of a finding. Each act leaves its row."""

from dataclasses import asdict
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from compliance.review import rules
from compliance.review.models import Finding, FindingNote, ReviewLimit, Verdict, WatchedPatient
from healthrecords import trail
from healthrecords.access.request import AccessRequest
from healthrecords.fhir.primitives import ID

LONGEST = 4000  # characters of a note


def limits() -> rules.Limits:
    """The limits in force: those shipped, but for what the compliance officer has changed."""
    known = asdict(rules.Limits())
    return rules.Limits(**{**known, **dict(ReviewLimit.objects.filter(name__in=known).values_list("name", "value"))})


def change_limits(wanted: dict[str, int], by: AccessRequest) -> list[str]:
    """Set limits; return what changed, in words. Raise ValidationError for one that is out of range."""
    before = asdict(limits())
    for name, value in wanted.items():
        if not 0 <= value <= rules.MOST.get(name, 1_000_000):
            raise ValidationError(f"'{rules.WORDS[name]}' is 0 to {rules.MOST.get(name, 1_000_000)}, not {value}.")
    changed = [f"{name} {before[name]} became {value}" for name, value in wanted.items() if before[name] != value]
    with transaction.atomic():
        for name, value in wanted.items():
            ReviewLimit.objects.update_or_create(name=name, defaults={"value": value})
        if changed:
            _record(by, "update", "Settings", "", f"limits of the access review: {', '.join(changed)}")
    return changed


def watch(patient: str, reason: str, by: AccessRequest) -> WatchedPatient:
    """Look at everybody who opens this patient's chart. Raise ValidationError for what is no id."""
    if not ID.fullmatch(patient):
        raise ValidationError("A patient is named by the id of the record.")
    said = {"reason": _text(reason, "Say why this patient is watched."), "added_by": by.actor.name}
    with transaction.atomic():
        row, _ = WatchedPatient.objects.update_or_create(patient=patient, defaults=said)
        _record(by, "create", "Review", f"WatchedPatient/{patient}", "watched from now on")
    return row


def unwatch(patient: str, by: AccessRequest) -> bool:
    """Watch a patient no longer; whether they were."""
    with transaction.atomic():
        gone, _ = WatchedPatient.objects.filter(patient=patient).delete()
        if gone:
            _record(by, "delete", "Review", f"WatchedPatient/{patient}", "watched no longer")
    return bool(gone)


def add_note(finding: Finding, text: str, by: AccessRequest) -> FindingNote:
    """Write a note to a finding. Raise ValidationError for an empty one."""
    said = _text(text, "Write the note first.")
    with transaction.atomic():
        note = FindingNote.objects.create(finding=finding, text=said, author=by.actor.name)
        _record(by, "update", "Review", f"Finding/{finding.pk}", "note added")
    return note


def sign_off(finding: Finding, verdict: str, text: str, by: AccessRequest) -> Finding:
    """Close a finding with a verdict and the reason for it.

    Raise ValidationError for a finding about the person who signs (nobody judges themselves), for one that is signed
    off already, and without a reason.
    """
    if verdict not in (Verdict.EXPLAINED, Verdict.UNJUSTIFIED):
        raise ValidationError("A finding is signed off as explained or as not justified.")
    if (by.actor.kind, by.actor.id) == ("user", finding.person_id):
        raise ValidationError("This finding is about you: somebody else signs it off.")
    said: dict[str, Any] = {"verdict": verdict, "signed_by": by.actor.name, "signed_at": timezone.now()}
    reason = _text(text, "Say why: what was asked, of whom, and what the answer was.")
    with transaction.atomic():
        if not Finding.objects.filter(pk=finding.pk, verdict=Verdict.OPEN).update(**said):
            raise ValidationError("This finding is signed off already.")
        FindingNote.objects.create(finding=finding, text=reason, author=by.actor.name)
        _record(by, "update", "Review", f"Finding/{finding.pk}", f"signed off as {Verdict(verdict).label.lower()}")
    finding.refresh_from_db()
    return finding


def _text(text: str, missing: str) -> str:
    said = text.strip()
    if not said:
        raise ValidationError(missing)
    if len(said) > LONGEST:
        raise ValidationError(f"This is longer than {LONGEST} characters.")
    return said


def _record(by: AccessRequest, action: str, subject: str, resource: str, detail: str) -> None:
    named = (resource,) if resource else ()
    trail.record(
        by.to(action, subject), [trail.Fact(action, resources=named, versions=(0,) * len(named), detail=detail)]
    )
