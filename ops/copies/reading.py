"""Opens what the copy holds and compares it with the hashes in the records."""

import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby, islice
from pathlib import Path

from documents.contents import verified
from documents.models import Content
from healthrecords.crypto import known
from healthrecords.fhir.outcome import FHIRError
from ops.backup.flow import CHUNK
from ops.backup.place import Place

from . import rclone
from .rclone import Advance
from .stores import OBJECTS, Stores

_BATCH_BYTES = 256 * 1024 * 1024
_BATCH = 500  # objects


@dataclass(frozen=True)
class Fetched:
    """A copy on this disk for a moment. `fault`: why it is not what the record says, or an empty text."""

    content: Content
    path: Path
    fault: str


def read(there: Stores, where: Place, advance: Advance) -> dict[str, str]:
    """Read all copies; return the names of wrong ones, with the reasons. Raise BackupFault.

    A row whose object was not copied yet is left out: comparing says what is missing.
    """
    every = fetch(there, where, Content.objects.order_by("pk").iterator(_BATCH), {}, advance)
    return {each.content.object_name: each.fault for each in every if each.fault}


def fetch(
    there: Stores, where: Place, rows: Iterable[Content], folders: Mapping[str, str], advance: Advance
) -> Iterator[Fetched]:
    """Fetch the copies of these rows in batches and verify each; those that the copy lacks are left out.

    `folders` tells where in the copy a name lies, if that is not among the objects. Raise BackupFault.
    """
    known.compare_keys()
    where.prepare()
    for batch in _batches(rows):
        with tempfile.TemporaryDirectory(prefix="reading-", dir=where.root) as scratch:
            failed: dict[str, str] = {}
            names = sorted((folders.get(each.object_name, OBJECTS), each.object_name) for each in batch)
            for folder, group in groupby(names, key=lambda each: each[0]):
                failed |= _copy(there, folder, {name for _, name in group}, scratch, advance)
            for content in batch:
                path = Path(scratch) / content.object_name
                if path.is_file() or content.object_name in failed:
                    yield Fetched(content, path, failed.get(content.object_name) or fault_of(content, path))


def _copy(there: Stores, folder: str, names: set[str], scratch: str, advance: Advance) -> dict[str, str]:
    with rclone.listed(names) as options:
        done = rclone.run("copy", folder, scratch, *options, environment=there.environment, advance=advance)
    failed = {trouble.name: trouble.why for trouble in done.troubles if trouble.name in names}
    if done.code and not failed:
        raise rclone.failed(done)
    return failed


def fault_of(content: Content, path: Path) -> str:
    """Why a file is not the object of this row, or an empty text."""
    try:
        for _ in verified(content, pieces(path)):
            pass
    except FHIRError:
        return "it is not what the record says"
    return ""


def pieces(path: Path) -> Iterator[bytes]:
    """The bytes of a file."""
    with path.open("rb") as file:
        yield from iter(lambda: file.read(CHUNK), b"")


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
