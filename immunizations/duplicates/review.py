"""The review list: pairs that wait for a person, and what the person decides. Each patient shown leaves a row."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Count, QuerySet
from django.utils import timezone

from healthrecords import trail
from healthrecords.access import policy
from healthrecords.access.request import AccessRequest, Disclosure
from immunizations.duplicates.decision import Reason
from immunizations.duplicates.models import DuplicatePair, Verdict
from immunizations.models import Immunization
from patients.models import Patient


@dataclass(frozen=True)
class Case:
    """A pair as a screen shows it: both doses, the patient (None where no record of them is here), and why."""

    pair: DuplicatePair
    patient: Patient | None
    doses: tuple[Immunization, Immunization]
    why: str

    @property
    def counting(self) -> Immunization:
        """The dose that counts if it is one dose."""
        first, second = self.doses
        return first if first.logical_id == self.pair.counts_id else second


def waiting(asked: AccessRequest, patient: str = "", limit: int = 50) -> list[Case]:
    """Return pairs that wait for a person, oldest first: those that the asker may see, of one patient if named."""
    return _cases(DuplicatePair.objects.filter(verdict=Verdict.REVIEW), asked, patient, limit)


def linked(asked: AccessRequest, patient: str = "", limit: int = 50) -> list[Case]:
    """Return pairs about which something is said already, by rule or by a person, who may change it."""
    return _cases(DuplicatePair.objects.exclude(verdict=Verdict.REVIEW), asked, patient, limit)


def totals(asked: AccessRequest, patient: str = "") -> dict[str, int]:
    """Count the pairs that the asker may see, of one patient if named, by verdict."""
    seen = _visible(DuplicatePair.objects.order_by(), asked.to("search", "Immunization"))
    seen = seen.filter(patient=patient) if patient else seen
    counted = dict(seen.values_list("verdict").annotate(number=Count("pk")))
    return {verdict.value: counted.get(verdict.value, 0) for verdict in Verdict}


def pairs_of(patients: Iterable[str], asked: AccessRequest) -> "QuerySet[Any]":
    """The pairs of these patients of which the asker may see both doses."""
    return _visible(DuplicatePair.objects.all(), asked.to("read", "Immunization")).filter(patient__in=list(patients))


def set_aside(patients: Iterable[str], asked: AccessRequest) -> dict[str, str]:
    """Map each dose of these patients that does not count to the one that counts for it. The records stay."""
    rows = pairs_of(patients, asked).filter(verdict=Verdict.CERTAIN)
    return {row.second_id if row.counts_id == row.first_id else row.first_id: row.counts_id for row in rows}


def decide(key: UUID, verdict: str, by: AccessRequest, counts: str = "") -> DuplicatePair:
    """Decide that a pair is one dose (`certain`; `counts` may choose which counts) or two (`not-duplicate`).

    Raises ValidationError where there is no such pair to see, or the choice is none.
    """
    if verdict not in (Verdict.CERTAIN, Verdict.NOT_DUPLICATE):
        raise ValidationError(f"Decide on {Verdict.CERTAIN} or {Verdict.NOT_DUPLICATE}, not {verdict}.")
    with transaction.atomic():
        pair = _locked(key, by)
        if counts and counts not in (pair.first_id, pair.second_id):
            raise ValidationError("The dose that counts must be one of the two.")
        pair.counts_id = counts or pair.counts_id
        _decided(pair, Verdict(verdict), by.actor.name)
        words = f"duplicate, {pair.counts_id} counts" if verdict == Verdict.CERTAIN else "not a duplicate"
        _record(pair, f"decided: {words}", by)
    return pair


def undo(key: UUID, by: AccessRequest) -> DuplicatePair:
    """Take a decision back: what the rule says holds again. Raises ValidationError where there is none."""
    with transaction.atomic():
        pair = _locked(key, by)
        if not pair.is_decided:
            raise ValidationError("Nobody has decided on this pair.")
        _decided(pair, Verdict(pair.finding), "")
        _record(pair, "decision taken back", by)
    return pair


def _decided(pair: DuplicatePair, verdict: Verdict, name: str) -> None:
    pair.verdict, pair.decided_by = verdict, name
    pair.decided_at = timezone.now() if name else None
    pair.save(update_fields=["verdict", "decided_by", "decided_at", "counts"])


def _cases(pairs: "QuerySet[DuplicatePair]", asked: AccessRequest, patient: str, limit: int) -> list[Case]:
    with transaction.atomic():
        rows = _visible(pairs, asked.to("search", "Immunization"))
        rows = rows.filter(patient=patient) if patient else rows
        shown = list(rows.select_related("first", "second")[:limit])
        people = _people({pair.patient_id for pair in shown}, asked)
        cases = [
            Case(pair, people.get(pair.patient_id), (pair.first, pair.second), Reason(pair.reason).label)
            for pair in shown
        ]
        _disclose(cases, asked)
    return cases


def _visible(pairs: "QuerySet[Any]", asked: AccessRequest) -> "QuerySet[Any]":
    """Those of which the asker may see both doses."""
    doses = policy.visible(Immunization.objects.live(), asked).values("logical_id")
    return pairs.filter(first__in=doses, second__in=doses)


def _people(ids: set[str], asked: AccessRequest) -> dict[str, Patient]:
    rows = policy.visible(Patient.objects.live(), asked.to("search", "Patient"))
    return {row.logical_id: row for row in rows.filter(logical_id__in=ids)}


def _locked(key: UUID, by: AccessRequest) -> DuplicatePair:
    rows = _visible(DuplicatePair.objects.all(), by.to("update", "Immunization"))
    pair: DuplicatePair | None = rows.select_for_update(of=("self",)).filter(pk=key).first()
    if pair is None:
        raise ValidationError("There is no such pair; perhaps one of its doses was changed or deleted.")
    return pair


def _disclose(cases: Sequence[Case], asked: AccessRequest) -> None:
    doses = {dose.logical_id: dose for case in cases for dose in case.doses}
    people = {case.patient.logical_id: case.patient for case in cases if case.patient}
    shown = [
        Disclosure("Immunization", [(key, dose.version, dose.patient_ids()) for key, dose in doses.items()]),
        Disclosure("Patient", [(key, person.version, [key]) for key, person in people.items()]),
    ]
    trail.record(asked.to("search", "Immunization"), trail.disclosed("search", shown, detail="duplicate doses"))


def _record(pair: DuplicatePair, words: str, by: AccessRequest) -> None:
    rows = Immunization.objects.filter(logical_id__in=[pair.first_id, pair.second_id])
    versions = dict(rows.values_list("logical_id", "version"))
    fact = trail.Fact(
        "update",
        patient=pair.patient_id,
        resources=tuple(f"Immunization/{key}" for key in versions),
        versions=tuple(versions.values()),
        detail=f"duplicate doses: {words}",
    )
    trail.record(by.to("update", "Immunization"), [fact])
