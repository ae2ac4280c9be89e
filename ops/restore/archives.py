"""Unpacks an archive beside its target, verifies every file, then puts it in place; what was there is kept."""

import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic

from django.conf import settings

from ops.archives.entries import Archive, Kind, archives
from ops.archives.packing import SUMS
from ops.backup.catalogue import Part
from ops.backup.faults import BackupFault, Damaged, DiskFull
from ops.backup.flow import CHUNK
from ops.backup.place import Place, place
from ops.backup.repository import Repository, repository
from ops.backup.sealing import identities, key_id

from .fetching import Source, unpack
from .journal import journal

Advance = Callable[[float], None]
_MARGIN = 64 * 1024 * 1024  # bytes free beyond what is unpacked


@dataclass(frozen=True)
class Plan:
    """What would be unpacked, and where. `shut`: roles that no private key here opens. `kept`: what it replaces."""

    entry: Archive
    parts: tuple[Part, ...]
    shut: tuple[str, ...]
    folder: Path
    kept: Path | None

    @property
    def size(self) -> int:
        """The bytes to be fetched."""
        return sum(part.size for part in self.parts)

    @property
    def needed(self) -> int:
        """The bytes that it takes on the disk."""
        return sum(part.unpacked for part in self.parts)

    def as_rows(self) -> dict[str, str]:
        """The plan as it is shown before anything happens."""
        return {
            "restores": f"{self.entry.id}: {', '.join(part.role for part in self.parts) or 'nothing'}",
            "made": f"{self.entry.made} by version {self.entry.product}",
            "commit": self.entry.about.get("commit", "") or "unknown",
            "into": str(self.folder),
            "replaces": f"what is there now, kept as {self.kept.name}" if self.kept else "nothing",
            "to fetch": f"{self.size / 1e6:.1f} MB",
            "disk needed": f"{self.needed / 1e6:.1f} MB",
            "stays sealed": ", ".join(self.shut) or "nothing",
        }


@dataclass(frozen=True)
class Restored:
    """What is in place."""

    folder: Path
    kept: Path | None
    files: int
    seconds: float


def make(kind: Kind, name: str, folder: Path | None, replace: bool = False) -> Plan:
    """Plan; raise BackupFault where there is nothing to restore, no key, no room, or something in the way."""
    if not settings.BACKUP_IDENTITY_FILE:
        raise BackupFault("HEALTHCARE_BACKUP_IDENTITY_FILE is not set; a restore needs a private key of a recipient.")
    known = archives(repository())
    entry = known.named(kind, name)
    here = {key_id(each.to_public()) for each in identities(Path(settings.BACKUP_IDENTITY_FILE))}
    parts = tuple(part for part in entry.parts if here & set(entry.keys[part.role]))
    if not parts:
        raise BackupFault(
            f"{entry.id} was not sealed to the key in HEALTHCARE_BACKUP_IDENTITY_FILE; name the identity of one of its "
            "recipients."
        )
    shut = tuple(part.role for part in entry.parts if part not in parts)
    target = (folder or place().root / "restored" / entry.id).absolute()
    plan = Plan(entry, parts, shut, target, _kept(target, replace))
    _refuse_full(plan)
    return plan


def _kept(target: Path, replace: bool) -> Path | None:
    """Where what is there goes, or None for nothing; raise BackupFault where it may not be replaced."""
    if not target.exists() or (target.is_dir() and not any(target.iterdir())):
        return None
    if not replace:
        raise BackupFault(f"{target} is not empty; name another directory with --target, or keep it with --replace.")
    return target.with_name(f"{target.name}.before-{datetime.now(UTC):%Y%m%dT%H%M%S}")


def _refuse_full(plan: Plan) -> None:
    existing = next(path for path in plan.folder.parents if path.exists())
    free, needed = shutil.disk_usage(existing).free, plan.needed + _MARGIN
    if free < needed:
        raise DiskFull(f"The disk of {existing} has {free >> 20} MB free and {needed >> 20} MB are needed.")


def restore(plan: Plan, advance: Advance = lambda _: None) -> Restored:
    """Carry a plan out; raise BackupFault, with nothing put in place and nothing removed."""
    where, began = place(), monotonic()
    with where.locked(f"{plan.entry.kind}-archive"), _noted(plan, where), _building(plan) as building:
        files = _build(plan, repository(), building, advance)
        if plan.kept:
            plan.folder.rename(plan.kept)
        elif plan.folder.exists():
            plan.folder.rmdir()
        building.rename(plan.folder)
    return Restored(plan.folder, plan.kept, files, monotonic() - began)


@contextmanager
def _noted(plan: Plan, where: Place) -> Iterator[None]:
    """Write into the journal what happens: the database may be gone."""
    book = journal(where)
    book.note(plan.entry.id, "planned", into=str(plan.folder))
    try:
        yield
    except BaseException as fault:
        book.note(plan.entry.id, "failed", why=str(fault) or type(fault).__name__)
        raise
    book.note(plan.entry.id, "unpacked", into=str(plan.folder), kept=plan.kept)


@contextmanager
def _building(plan: Plan) -> Iterator[Path]:
    """The directory beside the target; what a killed restore left there goes first."""
    building = plan.folder.with_name(f"{plan.folder.name}.restoring")
    shutil.rmtree(building, ignore_errors=True)
    try:
        building.mkdir(mode=0o700, parents=True)
        yield building
    except OSError as fault:
        raise BackupFault(f"{plan.folder} cannot be written ({fault.strerror}).") from None
    finally:
        shutil.rmtree(building, ignore_errors=True)


def _build(plan: Plan, target: Repository, building: Path, advance: Advance) -> int:
    """Unpack every part and compare every file with the list of hashes; return how many there are."""
    source = Source(target, identities(Path(settings.BACKUP_IDENTITY_FILE)), advance)
    files = 0
    for part in plan.parts:
        folder = building / part.role if len(plan.entry.parts) > 1 else building
        with source.part(part) as content:
            unpack(content, folder, part.name)
        files += _verify(folder, plan.entry.digests[part.role], part.name)
    return files


def _verify(folder: Path, digest: str, name: str) -> int:
    """Compare what was unpacked with its list, and the list with the catalogue; raise Damaged."""
    listed = folder / SUMS
    lines = listed.read_bytes() if listed.is_file() else b""
    sums = {name: sum_ for sum_, _, name in (line.partition("  ") for line in lines.decode().splitlines())}
    found = {
        str(Path(path, file).relative_to(folder)): _sum(Path(path, file))
        for path, _, files in os.walk(folder)
        for file in files
    }
    found.pop(SUMS, None)
    if hashlib.sha256(lines).hexdigest() != digest or found != sums:
        raise Damaged(f"{name} is damaged: its files are not those that were stored; nothing was put in place.")
    return len(sums)


def _sum(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while data := file.read(CHUNK):
            digest.update(data)
    return digest.hexdigest()
