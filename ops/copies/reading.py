"""Opens what the copy holds and compares it with the hashes in the records."""

import tempfile
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

from django.db.models import QuerySet

from documents.contents import verified
from documents.models import Content
from healthrecords.fhir.outcome import FHIRError
from ops.backup.flow import CHUNK
from ops.backup.place import Place

from . import rclone
from .rclone import Advance
from .stores import OBJECTS, Stores

_BATCH_BYTES = 256 * 1024 * 1024
_BATCH = 500  # objects


def read(there: Stores, where: Place, advance: Advance, rows: "QuerySet[Content] | None" = None) -> dict[str, str]:
    """Read the copies of these rows (of all of them) in batches; return the names of wrong ones, with the reasons.

    A row whose object was not copied yet is left out: comparing says what is missing.
    """
    wrong: dict[str, str] = {}
    chosen = Content.objects.all() if rows is None else rows
    for batch in _batches(chosen.order_by("pk").iterator(_BATCH)):
        with tempfile.TemporaryDirectory(prefix="reading-", dir=where.root) as folder:
            wrong |= _fetch(there, batch, folder, advance)
            for content in batch:
                path = Path(folder) / content.object_name
                if path.is_file() and (why := fault_of(content, path)):
                    wrong[content.object_name] = why
    return wrong


def _fetch(there: Stores, batch: list[Content], folder: str, advance: Advance) -> dict[str, str]:
    names = {content.object_name for content in batch}
    with rclone.listed(names) as options:
        done = rclone.run("copy", OBJECTS, folder, *options, environment=there.environment, advance=advance)
    failed = {trouble.name: trouble.why for trouble in done.troubles if trouble.name in names}
    if done.code and not failed:
        raise rclone.failed(done)
    return failed


def fault_of(content: Content, path: Path) -> str:
    """Why a file is not the object of this row, or an empty text."""
    try:
        with path.open("rb") as file:
            for _ in verified(content, iter(lambda: file.read(CHUNK), b"")):
                pass
    except FHIRError:
        return "it is not what the record says"
    return ""


def _batches(rows: Iterable[Content]) -> Iterator[list[Content]]:
    """Rows in groups of so many, and of so many bytes unless one alone has more."""
    left = iter(rows)
    while batch := list(islice(left, _BATCH)):
        group: list[Content] = []
        for content in batch:
            if group and sum(each.size for each in group) + content.size > _BATCH_BYTES:
                yield group
                group = []
            group.append(content)
        yield group
