"""Where backups are kept: the narrow interface, and the choice between a directory and an S3 bucket.

Objects are immutable: a name that is taken is refused. Only the open segment of the log is replaced.

    backups/ID/…       the parts of a backup, sealed
    catalogue/ID.json  written last: the mark that the backup is complete
    points/NAME.json   named recovery points
    proofs/ID.TIME.json  what a test restore of that backup showed
    wal/SYSTEM/…       finished segments of the write-ahead log, sealed
    open/SYSTEM/…      the segment that is being written, sealed, replaced every minute
"""

from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

from django.conf import settings

from .faults import BackupFault
from .flow import Readable

_NAME_ONE = "name a file:///directory or an s3://bucket/prefix."


@dataclass(frozen=True)
class Stored:
    """An object: its name, its size in bytes, and since when it is there (UTC)."""

    name: str
    size: int
    time: datetime


class Repository(Protocol):
    """A store of objects. Every method raises RepositoryDown where the store does not do its part."""

    address: str

    def check(self) -> None:
        """Raise RepositoryDown unless objects could be written now."""

    def put(self, name: str, content: Readable) -> None:
        """Store a new object, whole or not at all; raise BackupFault where the name is taken."""

    def replace(self, name: str, content: Readable) -> None:
        """Store an object in the place of one that may be there: for the open segment alone."""

    def get(self, name: str) -> AbstractContextManager[Readable]:
        """Open an object for reading; raise Missing."""

    def names(self, prefix: str) -> Iterable[Stored]:
        """The objects whose names begin with `prefix`, in the order of their names."""

    def remove(self, name: str) -> None:
        """Remove an object, whatever versions of it there are; one that is not there is no fault."""

    def locked_until(self, name: str) -> datetime | None:
        """Until when the store refuses to remove an object, or None."""

    def free(self) -> int | None:
        """The bytes that are free, or None where that is unknown."""


def repository() -> Repository:
    """The repository that the settings name; raise BackupFault where they name none."""
    if not settings.BACKUP_REPOSITORY:
        raise BackupFault(f"HEALTHCARE_BACKUP_REPOSITORY is not set; {_NAME_ONE}")
    return repository_at(settings.BACKUP_REPOSITORY)


def repository_at(address: str) -> Repository:
    """The store at a file:///directory or an s3://bucket/prefix, that with the credentials of backups."""
    parts = urlsplit(address)
    if parts.scheme == "file":
        from .directory import Directory

        return Directory(Path(unquote(parts.path)))
    if parts.scheme == "s3":
        from .bucket import Bucket

        return Bucket(parts.netloc, parts.path.strip("/"))
    raise BackupFault(f"{address} is no place for backups; {_NAME_ONE}")
