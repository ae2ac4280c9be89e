"""Take up what was kept: resources whose type is served by now become records, as if they were imported now."""

from collections.abc import Iterator

from healthrecords.access.request import AccessRequest
from healthrecords.fhir.resource import registry
from healthrecords.jsontext import parse_json

from .importer import BATCH, Report, alone, attempt
from .models import KeptResource
from .reading import Item, Place
from .writing import Writer


def replay(request: AccessRequest) -> Report:
    """Write the kept resources of served types; those that fail stay kept. Raise Busy while an import runs."""
    report = Report()
    with alone():
        for kind in registry():
            for rows in _waiting(kind):
                writer = Writer(request, rows[0].source)
                for done in attempt(writer, [_item(row) for row in rows], lambda _: None):
                    report.note(done)
    return report


def _waiting(kind: str) -> Iterator[list[KeptResource]]:
    """The kept rows of a type, in lists of one source each."""
    kept = KeptResource.objects.filter(resource_type=kind)
    for source in list(kept.values_list("source", flat=True).distinct().order_by("source")):
        rows = kept.filter(source=source).order_by("uuid")
        batch = list(rows[:BATCH])
        while batch:
            yield batch
            batch = list(rows.filter(uuid__gt=batch[-1].uuid)[:BATCH])


def _item(row: KeptResource) -> Item:
    return Item(Place(f"kept {row.source}"), parse_json(str(row.content)), bytes(row.digest))
