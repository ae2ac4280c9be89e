"""Keep what the predicate reads true: the provisions of active consents, and whom each covers.

A person who was merged has the consents of both records (Patient.link `replaces` and `replaced-by`), over any number
of merges.
"""

from collections.abc import Iterable, Iterator, Sequence

from django.db.models import F, Q

from healthrecords.access.request import Actor
from healthrecords.jsontext import parse_json
from healthrecords.records import Record, RecordVersion
from patients.models import LinkType, PatientLink

from .models import Consent, Coverage, Provision, Status
from .provisions import Node, read

MERGED = (LinkType.REPLACES, LinkType.REPLACED_BY)


def settle(records: Sequence[Record], author: Actor) -> None:
    """Work out provisions and coverage of consents that were just written or deleted, in the same transaction."""
    keys = [record.pk for record in records]
    Provision.objects.filter(consent__in=keys).delete()
    Coverage.objects.filter(consent__in=keys).delete()
    for record in records:
        if isinstance(record, Consent) and record.status == Status.ACTIVE and record.deleted_at is None:
            Provision.objects.bulk_create(rows_of(record, nodes_of(record)))
            _cover(record)


def follow(versions: Sequence[RecordVersion]) -> None:
    """Cover anew what the merges of patients that were just written change."""
    if versions[0].resource_type != "Patient":
        return
    touched = {version.logical_id for version in versions}
    links = PatientLink.objects.filter(Q(record__logical_id__in=touched) | Q(other__in=touched), type__in=MERGED)
    strangers = Coverage.objects.filter(patient__in=touched).exclude(patient=F("consent__patient"))
    if not (links.exists() or strangers.exists()):
        return
    persons = person_of(touched)
    affected = Q(patient__in=persons) | Q(coverage__patient__in=persons)
    for consent in Consent.objects.filter(affected, status=Status.ACTIVE, deleted_at=None).distinct():
        Coverage.objects.filter(consent=consent).delete()
        _cover(consent)


def person_of(patients: Iterable[str]) -> set[str]:
    """The logical ids of these patients and of all records that were merged with them."""
    known: set[str] = set()
    fresh = set(patients)
    while fresh:
        known |= fresh
        links = PatientLink.objects.filter(
            Q(record__logical_id__in=fresh) | Q(other__in=fresh), type__in=MERGED, other__isnull=False
        )
        pairs = links.values_list("record__logical_id", "other_id")
        fresh = {str(each) for pair in pairs for each in pair} - known
    return known


def _cover(consent: Consent) -> None:
    persons = sorted(person_of([consent.patient_id]))
    Coverage.objects.bulk_create(Coverage(patient=each, consent=consent) for each in persons)


def nodes_of(consent: Consent) -> Node:
    """The provisions of a stored consent."""
    version = consent.current
    body = parse_json(str(version.content).encode()) if version else {}
    return read(body["provision"])


def rows_of(consent: Consent, node: Node, parent: Provision | None = None) -> Iterator[Provision]:
    """A provision and those inside it as rows, the outer ones first."""
    row = Provision(consent=consent, parent=parent, denies=node.denies, starts_at=node.starts_at, ends_at=node.ends_at)
    for name in ("actors", "purposes", "classes", "labels"):
        values = getattr(node, name)
        setattr(row, name, None if values is None else sorted(values))
    yield row
    for child in node.children:
        yield from rows_of(consent, child, row)
