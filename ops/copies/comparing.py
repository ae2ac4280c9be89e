"""The copy against the store, by checksums, and against the records; deletions are dated and, in time, carried out."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.conf import settings

from documents import storage
from documents.checking import UNDERWAY
from documents.models import Content

from . import rclone
from .stores import DELETED, OBJECTS, SOURCE, Stores, told_by_store

_DIFFERS = ("* ", "! ")  # rclone's marks: another content, and what could not be compared


@dataclass(frozen=True)
class Compared:
    """What a comparison found, by the names of objects.

    `different`: the store and the copy hold another content. `gone`: a record names it, the copy has it, the store
    does not. `lost`: a record names it and neither has it. `without_row`: in both, and no record names it.
    `deleted`: dated by this run. `expired`: removed for good by it.
    """

    objects: int
    different: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    without_row: tuple[str, ...] = ()
    deleted: tuple[str, ...] = ()
    expired: tuple[str, ...] = ()

    @property
    def good(self) -> bool:
        """Whether nothing is missing and nothing differs."""
        return not (self.different or self.gone or self.lost)


@dataclass(frozen=True)
class Sorted:
    """Names sorted by where they are known: pure, so that it can be tried with every combination."""

    gone: tuple[str, ...]
    lost: tuple[str, ...]
    without_row: tuple[str, ...]
    deleted: tuple[str, ...]


def sort(copied: set[str], stored: set[str], rows: set[str], settled: set[str]) -> Sorted:
    """Sort; `settled` are the rows that are old enough for their objects to have been copied."""
    return Sorted(
        gone=tuple(sorted((rows & copied) - stored)),
        lost=tuple(sorted(settled - copied - stored)),
        without_row=tuple(sorted((copied & stored) - rows)),
        deleted=tuple(sorted(copied - stored - rows)),
    )


def compare(there: Stores, began: datetime) -> Compared:
    """Compare, then date deletions and carry out those whose time is over; raise BackupFault.

    The copy is listed before the store, and the store before the rows: what a listing lacks had gone, or had not come,
    when the earlier one was made, so that nothing that is just being uploaded is taken for deleted.
    """
    copied = set(there.sizes(OBJECTS))
    with told_by_store():
        stored = {name for name, _ in storage.sizes()}
    rows = dict(Content.objects.values_list("object_name", "created_at").iterator(2000))
    settled = {name for name, created in rows.items() if created < began - UNDERWAY}
    found = sort(copied, stored, set(rows), settled)
    different = _different(there, copied & stored)
    _date(there, found.deleted, began.date())
    expired = _expire(there, began.date())
    return Compared(
        len(copied), different, found.gone, found.lost, found.without_row, found.deleted, tuple(sorted(expired))
    )


def _different(there: Stores, names: set[str]) -> tuple[str, ...]:
    """Encrypt the store's objects again with the copy's nonces and compare checksums (rclone cryptcheck)."""
    done = rclone.run("cryptcheck", SOURCE, OBJECTS, "--combined=-", environment=there.environment)
    found = (line[2:] for line in done.output.splitlines() if line.startswith(_DIFFERS))
    different = tuple(sorted(name for name in found if name in names))
    if done.code and not done.output:
        raise rclone.failed(done)
    return different


def _date(there: Stores, names: tuple[str, ...], day: date) -> None:
    if not names:
        return
    with rclone.listed(names) as options:
        done = rclone.run("move", OBJECTS, f"{DELETED}/{day}", *options, environment=there.environment)
    if done.code:
        raise rclone.failed(done)


def _expire(there: Stores, today: date) -> list[str]:
    """Remove what was found deleted longer ago than HEALTHCARE_BACKUP_DELETED_DAYS."""
    oldest = today - timedelta(days=settings.BACKUP_DELETED_DAYS)
    old = [name for name in there.sizes(DELETED) if date.fromisoformat(name.partition("/")[0]) < oldest]
    for name in old:
        there.place.remove(f"deleted/{name}.bin")
    return old
