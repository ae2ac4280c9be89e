"""Runs the rules over a day and keeps what they find: each night over yesterday, and whenever somebody asks."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from compliance.review import gathering, rules, settling
from compliance.review.models import Finding, Verdict
from healthrecords import trail
from healthrecords.access.request import AccessRequest

EVIDENCE = 20  # events that a finding names


@dataclass(frozen=True)
class Run:
    """What a run over a day looked at, and how many findings it left: new ones, and all that are open of that day."""

    day: date
    people: int
    looks: int
    new: int
    open: int

    def __str__(self) -> str:
        return f"{self.day}: {self.looks} looks of {self.people} people, {self.new} new findings, {self.open} open."


def run(day: date, by: AccessRequest) -> Run:
    """Judge the accesses of a local day. Run again, it leaves what is signed off and brings what is open up to date."""
    limits = settling.limits()
    days = gathering.days(day, limits)
    findings = [each for found, events in days for each in _findings(day, found, events, limits)]
    with transaction.atomic():
        new = _keep(findings)
        waiting = Finding.objects.filter(day=day, verdict=Verdict.OPEN).count()
        done = Run(day, len(days), sum(len(found.looks) for found, _ in days), new, waiting)
        fact = trail.Fact("search", detail=f"review of accesses, {done}")
        trail.record(by.to("search", "Review"), [fact])
    return done


def yesterday() -> date:
    """The last whole day where the installation stands."""
    return timezone.localdate() - timedelta(days=1)


def _findings(day: date, found: rules.Day, events: dict[str, list[UUID]], limits: rules.Limits) -> Iterator[Finding]:
    for look in found.looks:
        about = {"patient": look.patient.id, "events": events[look.patient.id][:EVIDENCE]}
        for name, rule in rules.RULES.items():
            if reason := rule.judge(look, limits):
                times = {"first_at": look.times[0], "last_at": look.times[-1], "count": len(look.times)}
                yield _finding(day, name, look.person, reason=reason, **about, **times)
    if many := rules.many_patients(found, limits):
        count, first, last = many
        reason = f"{count} patients between {first:%H:%M} and {last:%H:%M}."
        shown = [key for keys in events.values() for key in keys][:EVIDENCE]
        times = {"first_at": first, "last_at": last, "count": count}
        yield _finding(day, rules.MANY, found.person, reason=reason, events=shown, **times)


def _finding(day: date, rule: str, person: rules.Person, **said: Any) -> Finding:
    return Finding(rule=rule, day=day, person_id=person.id, person=person.name, **said)


def _keep(findings: list[Finding]) -> int:
    """Store the findings; those known already that are open are brought up to date. Return how many are new."""
    known = {_identity(each): each for each in _same(findings)}
    fresh = [each for each in findings if _identity(each) not in known]
    Finding.objects.bulk_create(fresh, ignore_conflicts=True)
    for each in findings:
        earlier = known.get(_identity(each))
        if earlier and earlier.verdict == Verdict.OPEN:
            latest = {"reason": each.reason, "last_at": each.last_at, "count": each.count, "events": each.events}
            Finding.objects.filter(pk=earlier.pk, verdict=Verdict.OPEN).update(**latest)
    return len(fresh)


def _identity(finding: Finding) -> tuple[Any, ...]:
    return finding.day, finding.person_id, finding.patient, finding.rule


def _same(findings: list[Finding]) -> Any:
    people = {each.person_id for each in findings}
    return Finding.objects.filter(Q(day__in={each.day for each in findings}), person_id__in=people)
