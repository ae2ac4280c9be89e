"""Whom a Provenance is about: the patients of its targets, as they are at their latest versions.

They are worked out when the Provenance is written, for all of one write at once. A target that is not here yet adds
its patients when it comes (`follow`): the Provenance then gets a new version with the same content, written by the
system, since the patients of a version never change. A Provenance about another Provenance takes that one's patients
as they are when it is written.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from healthrecords.access.request import SYSTEM
from healthrecords.fhir import store
from healthrecords.fhir.mapping import Draft
from healthrecords.fhir.resource import Resource, registry
from healthrecords.records import RecordVersion

from .models import Provenance, ProvenanceTarget

Target = tuple[str, str]


def gather(drafts: Sequence[Draft]) -> None:
    """Work out `patients` of each draft."""
    known = _patients_of({target for draft in drafts for target in _targets(draft)})
    for draft in drafts:
        found = {patient for target in _targets(draft) for patient in known.get(target, [])}
        draft.record.patients = sorted(found)  # type: ignore[attr-defined]


def follow(resource: Resource, versions: Sequence[RecordVersion]) -> None:
    """Write the next version of each Provenance whose patients are others, now that these of its targets are written.

    A patient is its own: what points to one never waits for it.
    """
    kind, ids = versions[0].resource_type, [version.logical_id for version in versions]
    if kind == "Patient":
        return
    named = ProvenanceTarget.objects.filter(target_type=kind, target_id__in=ids).values("record")
    rows = Provenance.objects.live().filter(pk__in=named).order_by("uuid").select_for_update()
    drafts = [store.load(resource.mapping, row) for row in rows]
    before = [draft.record.patient_ids() for draft in drafts]
    gather(drafts)
    pairs = zip(drafts, before, strict=True)
    if changes := [_change(draft) for draft, patients in pairs if draft.record.patient_ids() != patients]:
        store.write(resource, changes, SYSTEM)


def _change(draft: Draft) -> store.Change:
    """The same content again; to an import that brought the record, it is still as it was brought."""
    record = draft.record
    untouched = record.source_digest is not None and record.source_version == record.version
    return store.Change(draft, record, bytes(record.source_digest) if untouched else None)  # type: ignore[arg-type]


def _targets(draft: Draft) -> Iterable[Target]:
    return (part.target for part in draft.parts["targets"] if part.target)  # type: ignore[attr-defined]


def _patients_of(targets: set[Target]) -> dict[Target, list[str]]:
    by_type: dict[str, list[str]] = defaultdict(list)
    for kind, logical_id in targets:
        by_type[kind].append(logical_id)
    found = {("Patient", logical_id): [logical_id] for logical_id in by_type.pop("Patient", [])}
    for kind, ids in by_type.items():
        resource = registry().get(kind)
        if resource and not resource.directory:
            rows = resource.model.objects.filter(logical_id__in=ids).values_list("logical_id", "current__patients")
            found |= {(kind, logical_id): patients or [] for logical_id, patients in rows}
    return found
