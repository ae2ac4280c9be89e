"""A sample of documents: what the copy holds, compared by hash with what a restored database says of it."""

from collections.abc import Iterator
from datetime import timedelta

from django.utils import timezone

from documents.models import Content
from ops.backup.faults import BackupFault
from ops.backup.place import Place
from ops.copies import reading
from ops.copies.stores import stores

SAMPLE = 20  # documents
COPIED_WITHIN = timedelta(hours=3)  # the copy is brought up to date each hour


def faults(scratch: Place) -> Iterator[str]:
    """One sentence for each document of the sample that the copy does not give back as its row says."""
    rows = list(Content.objects.order_by("?")[:SAMPLE])
    if not rows:
        return
    try:
        found = {each.content.pk: each.fault for each in reading.fetch(stores(), scratch, rows, {}, lambda _: None)}
    except BackupFault as fault:
        yield f"No document was compared: {fault}"
        return
    for content in rows:
        if found.get(content.pk):
            yield f"The copy of {content} is damaged: {found[content.pk]}."
        elif content.pk not in found and timezone.now() - content.created_at > COPIED_WITHIN:
            yield f"The copy of {content} is missing."
