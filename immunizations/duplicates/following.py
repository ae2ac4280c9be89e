"""Keep the pairs of a patient true: worked out anew whenever one of the patient's immunizations is written.

All patients of one write are looked at in the same few statements. Their rows are locked first, so that two systems
that send the same dose at the same moment see each other's.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db.models import Q

from healthrecords import bulk
from healthrecords.fhir.primitives import day_span
from immunizations.codes import lookup
from immunizations.duplicates.decision import Dose, Pair, pairs_among
from immunizations.duplicates.models import DuplicatePair, Verdict
from immunizations.stock.following import vaccine_of
from patients.models import Patient

if TYPE_CHECKING:
    from immunizations.models import Immunization

_NO_VACCINE = frozenset({"", "998", "999"})  # none named, none given, unknown
_MONTH = len("2024-05")
_COLUMNS = ("logical_id", "patient_id", "occurred", "cvx", "ndc", "primary_source", "lot_number", "created_at")


@dataclass(frozen=True)
class Changes:
    """How many pairs were found anew, found otherwise than before, and found no more."""

    added: int = 0
    altered: int = 0
    gone: int = 0

    def __add__(self, other: "Changes") -> "Changes":
        return Changes(self.added + other.added, self.altered + other.altered, self.gone + other.gone)


def follow(records: Sequence["Immunization"]) -> None:
    """Bring the pairs up to date with these immunizations, as a write or deletion left them."""
    known = {record.logical_id for record in records if record.version > 1}
    concerned = {record.patient_id for record in records if record.version > 1 or record.status == "completed"}
    if concerned:
        refresh(concerned, known)


def refresh(patients: Collection[str], known: Collection[str] | None = None) -> Changes:
    """Work out the pairs of these patients, in the caller's transaction.

    A dose that did not count for its potency (`isSubpotent`) is rightly given again: it is half of no pair.

    `known` are the doses among those written that pairs may exist of already (None: any).
    """
    _lock(patients)
    found = {(pair.first, pair.second): (patient, pair) for patient, pair in _pairs(patients)}
    if not found and known is not None and not known:
        return Changes()
    about = Q(patient__in=patients)
    if known:
        about |= Q(first__in=known) | Q(second__in=known)  # of a patient whose they were before
    return _write(found, list(DuplicatePair.objects.filter(about)))


def _lock(patients: Iterable[str]) -> None:
    rows = Patient.objects.filter(logical_id__in=patients).order_by("logical_id")
    list(rows.select_for_update(no_key=True).values_list("pk", flat=True))


def _pairs(patients: Collection[str]) -> Iterable[tuple[str, Pair]]:
    from immunizations.models import Immunization

    rows: Any = Immunization.objects.live()
    completed = rows.filter(patient__in=patients, status="completed").order_by()
    doses: dict[str, list[Dose]] = defaultdict(list)
    for row in completed.exclude(subpotent=True).values_list(*_COLUMNS, named=True):
        if dose := dose_of(row):
            doses[row.patient_id].append(dose)
    return ((patient, pair) for patient, each in doses.items() if len(each) > 1 for pair in pairs_among(each))


def dose_of(row: Any) -> Dose | None:
    """What is to be compared of an immunization; None where its vaccine is not known, or its date less than a month."""
    vaccine = vaccine_of(row.cvx, row.ndc)
    if vaccine in _NO_VACCINE or len(row.occurred) < _MONTH:
        return None
    known = lookup.vaccine(vaccine)
    groups = frozenset(group.name for group in known.groups) if known else frozenset()
    return Dose(
        row.logical_id,
        *day_span(row.occurred),
        groups or frozenset({vaccine}),  # a vaccine that CDC puts in no group is its own
        row.primary_source is True,
        known is not None and known.is_unspecified,
        bool(row.lot_number),
        row.created_at,
    )


def _write(found: dict[tuple[str, str], tuple[str, Pair]], rows: Sequence[DuplicatePair]) -> Changes:
    gone = [row.pk for row in rows if (row.first_id, row.second_id) not in found]
    kept = {(row.first_id, row.second_id): row for row in rows if row.pk not in set(gone)}
    added = [_new(patient, pair) for key, (patient, pair) in found.items() if key not in kept]
    altered = [row for key, row in kept.items() if _alter(row, *found[key])]
    if gone:
        DuplicatePair.objects.filter(pk__in=gone).delete()
    if added:
        bulk.insert(DuplicatePair, added)
    if altered:
        names = ["patient", "reason", "finding", "verdict", "counts", "decided_by", "decided_at"]
        DuplicatePair.objects.bulk_update(altered, names)
    return Changes(len(added), len(altered), len(gone))


def _new(patient: str, pair: Pair) -> DuplicatePair:
    return DuplicatePair(
        patient_id=patient,
        first_id=pair.first,
        second_id=pair.second,
        reason=pair.reason,
        finding=pair.finding,
        verdict=pair.finding,
        counts_id=pair.counts,
    )


def _alter(row: DuplicatePair, patient: str, pair: Pair) -> bool:
    """Bring a row up to date; return whether it changed.

    What a person decided stands as long as the finding is the one they saw; after that it waits for them again.
    """
    same = (row.patient_id, row.reason, row.finding) == (patient, pair.reason, pair.finding)
    if same and (row.is_decided or row.counts_id == pair.counts):
        return False
    if not same:
        row.verdict = Verdict.REVIEW if row.is_decided else Verdict(pair.finding)
        row.decided_by, row.decided_at = "", None
    row.patient_id, row.reason, row.finding, row.counts_id = patient, pair.reason, pair.finding, pair.counts
    return True
