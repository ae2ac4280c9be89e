"""Brings documents back from their copy: those that a record names and the store lacks, or holds damaged.

What is whole in the store is left alone, so that a run that was interrupted goes on where it ended. Each object is
verified by its record before it is put in place, and again in its place; what it replaces is kept.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic

from documents import contents, holding, storage
from documents.models import Content, DocumentReference
from documents.sealing import sealed_size
from healthrecords.cli import counted
from healthrecords.crypto import known
from ops.backup.place import Place, place
from ops.copies import reading
from ops.copies.copying import LOCK
from ops.copies.reading import Fetched
from ops.copies.stores import DELETED, OBJECTS, Stores, stores, told_by_store

from .journal import journal, rate

_USUAL_RATE = 20e6  # bytes a second, until a restore was measured
_DONE = "documents done"
Advance = Callable[[float], None]


@dataclass(frozen=True)
class Plan:
    """What would be brought back: names, and the folder of the copy where each lies.

    `damaged`: those that replace something, which is kept in `kept`. `lost`: named by a record, and nowhere.
    """

    wanted: dict[str, str]
    damaged: frozenset[str]
    lost: tuple[str, ...]
    size: int
    sound: int
    seconds: float
    measured: bool
    address: str
    kept: Path

    def as_rows(self) -> dict[str, str]:
        """The plan as it is shown before anything happens."""
        deleted = sum(folder != OBJECTS for folder in self.wanted.values())
        return {
            "restores": f"{counted(len(self.wanted), 'document')}, {deleted} of them from what was deleted",
            "from": self.address,
            "replaces": f"{counted(len(self.damaged), 'damaged one')}, kept in {self.kept}"
            if self.damaged
            else "nothing",
            "left alone": counted(self.sound, "document"),
            "to fetch": f"{self.size / 1e6:.1f} MB",
            "takes about": f"{self.seconds:.0f} s{'' if self.measured else ' (not measured yet)'}",
            "cannot be restored": counted(len(self.lost), "document"),
        }


@dataclass
class Restored:
    """What was brought back, by name, what could not be, with the reasons, and how long it took."""

    done: list[str]
    failed: dict[str, str]
    seconds: float = 0.0


def make(quick: bool = False, advance: Advance = lambda _: None) -> Plan:
    """Compare the records with the store (`quick`: by sizes alone) and look into the copy; raise BackupFault."""
    where, there = place(), stores()
    known.compare_keys()
    there.unlock()
    copied = _copied(there)
    with told_by_store():
        stored = dict(storage.sizes())
        missing, damaged, sound = _sorted(stored, quick, advance)
    wanted = {name: copied[name][0] for name in (*missing, *damaged) if name in copied}
    size = sum(copied[name][1] for name in wanted)
    measured = rate(where, _DONE)
    return Plan(
        wanted=wanted,
        damaged=frozenset(damaged) & frozenset(wanted),
        lost=tuple(name for name in (*missing, *damaged) if name not in copied),
        size=size,
        sound=sound,
        seconds=size / (measured or _USUAL_RATE),
        measured=bool(measured),
        address=there.place.address,
        kept=where.root / f"documents-before-{datetime.now(UTC):%Y%m%dT%H%M%S}",
    )


def _copied(there: Stores) -> dict[str, tuple[str, int]]:
    """Where each name lies in the copy, and its size; the newest day of a deletion, then what is not deleted."""
    deleted = {
        name: (f"{DELETED}/{day}", size)
        for (day, _, name), size in sorted((path.partition("/"), size) for path, size in there.sizes(DELETED).items())
    }
    return deleted | {name: (OBJECTS, size) for name, size in there.sizes(OBJECTS).items()}


def _sorted(stored: dict[str, int], quick: bool, advance: Advance) -> tuple[list[str], list[str], int]:
    """The names that are missing and damaged, and how many are sound."""
    missing, damaged, sound = [], [], 0
    for content in Content.objects.order_by("pk").iterator(500):
        name = content.object_name
        if name not in stored:
            missing.append(name)
        elif stored[name] == sealed_size(content.size) and (quick or _is_sound(content)):
            sound += 1
        else:
            damaged.append(name)
        advance(1)
    return missing, damaged, sound


def _is_sound(content: Content) -> bool:
    try:
        for _ in contents.unguarded(content):
            pass
    except contents.Different:
        return False
    return True


def restore(plan: Plan, advance: Advance = lambda _: None) -> Restored:
    """Carry a plan out; raise BackupFault, with what was restored so far in its place."""
    where, there, began = place(), stores(), monotonic()
    with where.locked(LOCK):
        book = journal(where)
        id_ = f"documents-{datetime.now(UTC):%Y%m%dT%H%M%S}"
        book.note(id_, "planned", documents=len(plan.wanted), damaged=len(plan.damaged))
        found = Restored([], dict.fromkeys(plan.lost, "neither the store nor the copy has it"))
        rows = Content.objects.filter(object_name__in=list(plan.wanted)).order_by("pk").iterator(500)
        for fetched in reading.fetch(there, where, rows, plan.wanted, advance):
            with told_by_store():
                _put_back(fetched, plan, where, found)
        found.seconds = monotonic() - began
        book.note(id_, _DONE, seconds=found.seconds, bytes=plan.size, documents=len(found.done))
    return found


def _put_back(fetched: Fetched, plan: Plan, where: Place, found: Restored) -> None:
    """Put one object in its place, unless the copy of it is not what the record says."""
    content, name = fetched.content, fetched.content.object_name
    if fetched.fault:
        found.failed[name] = f"of its copy: {fetched.fault}"
        return
    if name in plan.damaged:
        _keep(name, plan.kept)
    storage.put(name, reading.pieces(fetched.path))
    if not _is_sound(content):
        found.failed[name] = "the store did not keep it as it was sent"
        return
    _lock(content)
    found.done.append(name)


def _keep(name: str, folder: Path) -> None:
    """Keep what is replaced, as far as the store gives it."""
    folder.mkdir(mode=0o700, exist_ok=True)
    with suppress(storage.StoreFault), (folder / name).open("wb") as file:
        file.writelines(storage.get(name))


def _lock(content: Content) -> None:
    """Have a store with object lock keep it again, as its documents are held and retained."""
    documents = DocumentReference.objects.filter(logical_id__in=content.uses.values("document"))
    holding.keep_new([(document, content) for document in documents])
