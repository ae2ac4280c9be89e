"""Takes a backup: staged, verified, sealed on the way to the repository, its catalogue entry written last."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from django.conf import settings
from django.utils.module_loading import import_string

from healthrecords import __version__

from . import catalogue as books
from .catalogue import Catalogue, Entry, Part, written
from .directory import NO_ROOM
from .engine import MANIFEST, Engine, PostgresTools, Span
from .faults import BackupFault, DiskFull
from .flow import Measured
from .log import SEGMENT_BYTES
from .place import Place, place
from .programs import client_major
from .repository import Repository, repository
from .sealing import SUFFIX, key_id, recipients, sealed
from .server import Facts, facts

Type = Literal["full", "incremental", "archive"]
Advance = Callable[[float], None]
_MARGIN = 64 * 1024 * 1024  # bytes free beyond the estimate
_KEPT_MANIFESTS = 5


@dataclass(frozen=True)
class Plan:
    """What a backup will be. `why` says why it is full where an incremental one was asked for."""

    type: Type
    parent: Entry | None
    needed: int
    why: str = ""


@dataclass(frozen=True)
class Taken:
    """A backup that is complete."""

    entry: Entry
    plan: Plan


def plan(type_: Type, known: Catalogue, now: Facts, where: Place) -> Plan:
    """Decide what is taken: an incremental backup needs a link to stand on, whose manifest is here."""
    if type_ != "incremental":
        return Plan(type_, None, now.size * (2 if type_ == "archive" else 1) + _MARGIN)
    parent = next((entry for entry in reversed(known.entries) if entry.system == now.system), None)
    why = _why_full(parent, known, now, where)
    if why or not parent:
        return Plan("full", None, now.size + _MARGIN, why)
    changed = 2 * max(0, books.lsn(now.lsn) - books.lsn(parent.start_lsn))
    return Plan("incremental", parent, min(now.size, changed) + _MARGIN)


def _why_full(parent: Entry | None, known: Catalogue, now: Facts, where: Place) -> str:
    if where.full_demanded.exists():
        return where.full_demanded.read_text().strip()
    if not parent:
        return "there is no backup of this database yet"
    if parent.timeline != now.timeline or parent.major != now.major:
        return "the database was restored or upgraded since the last one"
    if not where.manifest(parent.id).is_file():
        return f"the manifest of {parent.id} is not on this host"
    try:
        known.chain(parent)
    except BackupFault as fault:
        return str(fault).rstrip(".")
    return ""


def take(type_: Type, advance: Advance = lambda _: None, engine: Engine | None = None) -> Taken:
    """Take a backup; raise BackupFault. What a run that was killed left behind is removed first."""
    where, target, engine = place(), repository(), engine or PostgresTools()
    with where.locked("backup"):
        sweep(where, target)
        chosen = planned(type_)
        return Taken(_Run(chosen, facts(), where, target, engine, advance).entry(), chosen)


def planned(type_: Type) -> Plan:
    """Decide what `take` would do, and change nothing; raise BackupFault where it could not."""
    where, target = place(), repository()
    where.prepare()
    target.check()
    now = facts()
    _refuse_unfit(now)
    chosen = plan(type_, books.catalogue(target), now, where)
    _refuse_full_disk(chosen, where, target)
    return chosen


def sweep(where: Place, target: Repository) -> None:
    """Remove what an interrupted run staged and uploaded: nothing without a catalogue entry is a backup."""
    for folder in where.stage.iterdir():
        take_back(target, folder.name)
        shutil.rmtree(folder)


def take_back(target: Repository, backup: str) -> None:
    """Remove what was uploaded of a backup, unless it has its entry and so is complete."""
    if not list(target.names(f"{books.BACKUPS}{backup}.json")):
        for each in list(target.names(f"backups/{backup}/")):
            target.remove(each.name)


def _refuse_unfit(now: Facts) -> None:
    ours = client_major()
    if now.major != ours:
        raise BackupFault(
            f"The server is PostgreSQL {now.major} and the programs here are {ours}; name the right ones with "
            "HEALTHCARE_POSTGRES_BIN."
        )
    if now.segment != SEGMENT_BYTES:
        raise BackupFault(f"The server's log has segments of {now.segment >> 20} MB; backups support those of 16 MB.")
    if now.tablespaces:
        raise BackupFault("The server has tablespaces of its own; backups support the default one alone.")


def _refuse_full_disk(chosen: Plan, where: Place, target: Repository) -> None:
    free = shutil.disk_usage(where.root).free
    if free < chosen.needed:
        raise DiskFull(
            f"The disk of {where.root} has {free >> 20} MB free and this backup needs {chosen.needed >> 20} MB; make "
            "room, or name another disk with HEALTHCARE_BACKUP_WORK_DIR."
        )
    there = target.free()
    if there is not None and there < chosen.needed // 2:
        raise DiskFull(
            f"The repository {target.address} has {there >> 20} MB free and this backup may need "
            f"{chosen.needed >> 21} MB; make room there."
        )


@dataclass
class _Run:
    """One backup on its way."""

    plan: Plan
    now: Facts
    where: Place
    target: Repository
    engine: Engine
    advance: Advance

    def __post_init__(self) -> None:
        self.started, self.untidy = datetime.now(UTC), False
        self.id = f"{self.plan.type}-{self.started:%Y%m%dT%H%M%S%f}"[:-3]
        self.folder = self.where.stage / self.id
        self.recipients = recipients(Path(settings.BACKUP_RECIPIENTS_FILE))

    def entry(self) -> Entry:
        """Stage, verify, upload, write the entry; the stage is removed however it ends."""
        self.folder.mkdir(mode=0o700)
        try:
            return self._staged()
        except OSError as fault:
            kind = DiskFull if fault.errno in NO_ROOM else BackupFault
            raise kind(f"The backup could not be staged in {self.where.root} ({fault.strerror}).") from None
        except BackupFault:
            self._take_back()
            raise
        finally:
            self._leave()

    def _staged(self) -> Entry:
        copied = self._copy()
        stopped = facts().time
        self.engine.verify(self.folder)
        if self.plan.type == "archive":
            self.engine.dump(self.folder / books.DUMP, lambda: None)
        parts = tuple(self._upload(path) for path in sorted(self.folder.iterdir()))
        entry = self._described(copied, stopped, parts)
        books.add(self.target, entry)
        self._keep_manifest()
        self.where.full_demanded.unlink(missing_ok=True)
        return entry

    def _copy(self) -> Span:
        if self.plan.parent:
            manifest = self.where.manifest(self.plan.parent.id)
            return self.engine.incremental(self.folder, manifest, lambda: None)
        return self.engine.full(self.folder, lambda: None)

    def _upload(self, path: Path) -> Part:
        name = f"backups/{self.id}/{path.name}{SUFFIX}"
        with path.open("rb") as file:
            plain = Measured(file, self.advance)
            with sealed(plain, self.recipients) as flow:
                self.target.put(name, flow)
        return Part(path.name, name, flow.size, flow.sha256, plain.size)

    def _described(self, copied: Span, stopped: datetime, parts: tuple[Part, ...]) -> Entry:
        return Entry(
            id=self.id,
            type=self.plan.type,
            parent=self.plan.parent.id if self.plan.parent else None,
            system=copied.system,
            timeline=copied.timeline,
            start_lsn=copied.start,
            stop_lsn=copied.stop,
            started=written(self.started),
            stopped=written(stopped),
            finished=written(datetime.now(UTC)),
            database_bytes=self.now.size,
            parts=parts,
            postgres=self.now.version,
            product=__version__,
            keys=tuple(key_id(each) for each in self.recipients),
            schema=self.now.schema,
            seal=import_string(settings.BACKUP_TRAIL_SEAL)() if settings.BACKUP_TRAIL_SEAL else None,
        )

    def _keep_manifest(self) -> None:
        shutil.copyfile(self.folder / MANIFEST, self.where.manifest(self.id))
        kept = sorted(self.where.manifests.glob("*.manifest"), key=lambda path: path.stat().st_mtime)
        for old in kept[:-_KEPT_MANIFESTS]:
            old.unlink()

    def _take_back(self) -> None:
        try:
            take_back(self.target, self.id)
        except BackupFault:
            self.untidy = True

    def _leave(self) -> None:
        """Empty the stage; where the repository could not be tidied, the folder's name tells the next run what to."""
        shutil.rmtree(self.folder, ignore_errors=True)
        if self.untidy:
            self.folder.mkdir()


def told(taken: Taken) -> str:
    """What was taken, in a sentence."""
    entry = taken.entry
    seconds = (books.moment(entry.finished) - books.moment(entry.started)).total_seconds()
    on = f" on {entry.parent}" if entry.parent else ""
    why = f" It is a full one because {taken.plan.why}." if taken.plan.why else ""
    return (
        f"{entry.id}{on} is complete: {entry.unpacked / 1e6:.1f} MB, {entry.size / 1e6:.1f} MB sealed, "
        f"in {seconds:.1f} s.{why}"
    )


def foretold(chosen: Plan) -> str:
    """What would be taken, in a sentence."""
    on = f" on {chosen.parent.id}" if chosen.parent else ""
    why = f" because {chosen.why}" if chosen.why else ""
    return f"A backup of type {chosen.type}{on} would be taken{why}; it needs up to {chosen.needed / 1e6:.0f} MB."
