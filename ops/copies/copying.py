"""Brings the copy of the documents up to date; deeper kinds also compare it with the store and with the records.

Objects are copied by name and size, never over one another. What has gone from the store and from the records moves to
a folder of that day, and from there away when its time is over; what a record still names stays, whatever the store
says, so that an emptied store never empties the copy.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

from django.conf import settings

from documents import storage
from ops.backup.faults import DiskFull
from ops.backup.place import place

from . import comparing, rclone, reading
from .comparing import Compared
from .rclone import Advance
from .stores import OBJECTS, SOURCE, Stores, stores, told_by_store

Kind = Literal["copy", "compare", "read"]
LOCK = "document-copy"
_MARGIN = 64 * 1024 * 1024  # bytes free beyond what is copied


@dataclass(frozen=True)
class Plan:
    """What is new in the store, by name and size in bytes, and what is there with another size than in the copy."""

    new: Mapping[str, int]
    changed: tuple[str, ...]
    known: int

    @property
    def size(self) -> int:
        """The bytes to be copied."""
        return sum(self.new.values())


@dataclass(frozen=True)
class Copied:
    """A run that is done. `failed` and `wrong` (not what the record says) name objects with the reason."""

    kind: Kind
    plan: Plan
    seconds: float
    failed: Mapping[str, str] = field(default_factory=dict)
    compared: Compared | None = None
    wrong: Mapping[str, str] = field(default_factory=dict)

    @property
    def good(self) -> bool:
        """Whether everything was copied and nothing differs."""
        return not (self.plan.changed or self.failed or self.wrong or (self.compared and not self.compared.good))


def plan(there: Stores) -> Plan:
    """Compare both listings; raise BackupFault where one cannot be had."""
    copied = there.sizes(OBJECTS)
    with told_by_store():
        found = dict(storage.sizes())
    new = {name: size for name, size in found.items() if name not in copied}
    changed = (name for name, size in found.items() if copied.get(name, size) != size)
    return Plan(new, tuple(changed), len(copied))


def planned() -> Plan:
    """What `copy` would do, and change nothing; raise BackupFault where it could not."""
    there = stores()
    there.unlock()
    chosen = plan(there)
    _refuse_full(there, chosen)
    return chosen


def copy(kind: Kind, advance: Advance = lambda _: None, bandwidth: int = 0) -> Copied:
    """Bring the copy up to date at `bandwidth` MB a second at most (0: as the setting says); raise BackupFault."""
    where, there = place(), stores()
    with where.locked(LOCK):
        began = datetime.now(UTC)
        there.unlock()
        there.found()
        there.sweep()
        chosen = plan(there)
        _refuse_full(there, chosen)
        failed = _transfer(there, chosen, advance, bandwidth or settings.BACKUP_BANDWIDTH)
        compared = comparing.compare(there, began) if kind != "copy" else None
        wrong = reading.read(there, where, advance) if kind == "read" else {}
        return Copied(kind, chosen, (datetime.now(UTC) - began).total_seconds(), failed, compared, wrong)


def _refuse_full(there: Stores, chosen: Plan) -> None:
    free = there.place.free()
    if chosen.new and free is not None and free < chosen.size + _MARGIN:
        raise DiskFull(
            f"The copy of the documents in {there.place.address} has {free >> 20} MB free and "
            f"{(chosen.size + _MARGIN) >> 20} MB are needed; make room there."
        )


def _transfer(there: Stores, chosen: Plan, advance: Advance, bandwidth: int) -> dict[str, str]:
    """Copy what is new; return what could not be copied, with the reasons."""
    if not chosen.new:
        return {}
    limit = (f"--bwlimit={bandwidth}M",) if bandwidth else ()
    with rclone.listed(chosen.new) as names:
        options = ("--immutable", "--size-only", *names, *limit)
        done = rclone.run("copy", SOURCE, OBJECTS, *options, environment=there.environment, advance=advance)
    failed = {trouble.name: trouble.why for trouble in done.troubles if trouble.name in chosen.new}
    if done.code and not failed:
        raise rclone.failed(done)
    return failed
