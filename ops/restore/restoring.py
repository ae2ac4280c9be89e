"""Restores: fetch, verify each link, join, verify the result, recover to the moment, check, put in place."""

import ctypes
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic

from django.conf import settings

from healthrecords.cli import host_request
from healthrecords.embedded.postgres import account
from ops import runs
from ops.backup.engine import Engine, PostgresTools
from ops.backup.faults import BackupFault, Damaged, DiskFull
from ops.backup.place import Place
from ops.backup.programs import client_major
from ops.backup.repository import Repository
from ops.backup.sealing import identities

from . import checks, fetching
from .checks import Findings
from .fetching import Advance, Source
from .instance import Instance
from .journal import Journal, journal
from .plan import Plan

Say = Callable[[str], None]
_UNREACHED = "recovery ended before configured recovery target was reached"


@dataclass(frozen=True)
class Restored:
    """A restore that is done."""

    id: str
    folder: Path
    kept: Path | None
    findings: Findings
    epoch: bool
    seconds: float


def restore(plan: Plan, repository: Repository, where: Place, say: Say, advance: Advance) -> Restored:
    """Carry a plan out; raise BackupFault, with nothing put in place and nothing removed."""
    _refuse_unfit(plan)
    with where.locked("restore"), plan.target.held(), _scratch(plan) as building:
        return _Restore(plan, repository, where, say, advance, building).run()


def _refuse_unfit(plan: Plan) -> None:
    if plan.base.major != client_major():
        raise BackupFault(
            f"{plan.base.id} was made by PostgreSQL {plan.base.major} and the programs here are {client_major()}; name "
            "the right ones with HEALTHCARE_POSTGRES_BIN, or restore an archive's dump."
        )
    if not settings.BACKUP_IDENTITY_FILE:
        raise BackupFault("HEALTHCARE_BACKUP_IDENTITY_FILE is not set; a restore needs a private key of a recipient.")
    existing = next(path for path in plan.target.folder.parents if path.exists())
    free = shutil.disk_usage(existing).free
    if free < plan.needed:
        raise DiskFull(f"The disk of {existing} has {free >> 20} MB free and {plan.needed >> 20} MB are needed.")


@contextmanager
def _scratch(plan: Plan) -> Iterator[Path]:
    """The directories beside the target while the restore is under way; what a killed one left goes first."""
    folders = [plan.target.beside(name) for name in ("links", "log", "restoring")]
    _clear(folders)
    plan.target.folder.parent.mkdir(mode=0o711 if os.geteuid() == 0 else 0o700, parents=True, exist_ok=True)
    try:
        yield folders[-1]
    finally:
        _clear(folders)


def _clear(folders: list[Path]) -> None:
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


def _flush(folder: Path) -> None:
    """Bring the file system of `folder` to the disk: recovery ran without, which is several times faster."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        library = ctypes.CDLL(None)
        library.syncfs(handle) if hasattr(library, "syncfs") else os.sync()
    finally:
        os.close(handle)


@dataclass
class _Restore:
    """One restore on its way."""

    plan: Plan
    repository: Repository
    where: Place
    say: Say
    advance: Advance
    building: Path

    def __post_init__(self) -> None:
        self.started, self.began = datetime.now(UTC), monotonic()
        self.id = f"restore-{self.started:%Y%m%dT%H%M%S}"
        self.book: Journal = journal(self.where)
        self.engine: Engine = PostgresTools()
        self.log = self.plan.target.beside("log")

    def run(self) -> Restored:
        """Run every step; the journal holds how far it came."""
        self.book.note(
            self.id, "planned", links=[link.id for link in self.plan.links], into=str(self.plan.target.folder)
        )
        try:
            return self._steps()
        except BaseException as fault:
            self.book.note(self.id, "failed", why=str(fault) or type(fault).__name__)
            raise

    def _steps(self) -> Restored:
        self._build()
        self.book.note(self.id, "built")
        findings, epoch = self._recover()
        if not findings.good:
            raise Damaged(f"The restored database was not put in place: {findings.corruption}")
        _flush(self.building)
        self._put_in_place()
        seconds = monotonic() - self.began
        self.book.note(self.id, "done", seconds=seconds, bytes=self.plan.needed, rows=sum(findings.rows.values()))
        return Restored(self.id, self.plan.target.folder, self.plan.target.kept, findings, epoch, seconds)

    def _build(self) -> None:
        """Fetch the links, verify each, join them, verify the result; lay the log beside."""
        source = Source(self.repository, identities(Path(settings.BACKUP_IDENTITY_FILE)), self.advance)
        fetching.pieces(source, self.plan.pieces, self.log)
        links = self.plan.target.beside("links")
        links.mkdir(mode=0o700)
        for entry in self.plan.links:
            self.say(f"Fetching {entry.id}")
            fetching.link(source, entry, links / entry.id)
            self.engine.verify(links / entry.id)
        if len(self.plan.links) == 1:
            (links / self.plan.base.id).rename(self.building)
            return
        self.engine.combine([links / entry.id for entry in self.plan.links], self.building)
        self.engine.verify(self.building)
        shutil.rmtree(links)

    def _recover(self) -> tuple[Findings, bool]:
        """Replay the log up to the moment, then check what is there."""
        (self.building / "recovery.signal").touch()
        (self.building / "postmaster.pid").unlink(missing_ok=True)
        if owner := account():
            for folder in (self.building, self.log):
                fetching.give(folder, owner.uid, owner.gid)
        instance = self._reached()
        try:
            self.say("Checking")
            findings = checks.check(instance)
            epoch = checks.open_epoch(instance, f"{self.id}: {self.plan.base.id} up to {self.plan.ends}")
            self._record(instance, findings)
            instance.stop()
        except BaseException:
            instance.kill()
            raise
        return findings, epoch

    def _record(self, instance: Instance, findings: Findings) -> None:
        """Leave the operations record in the restored database, where the console will show it."""
        if "public.ops_run" in findings.rows:
            with checks.pointed(instance):
                summary = f"Restored {self.plan.base.id} to {self.plan.ends}."
                actor = host_request("restore database").actor.name
                runs.keep(actor, "restore database", "good", summary, monotonic() - self.began, id=self.id)

    def _reached(self) -> Instance:
        """Start recovery and wait for its end.

        Where nothing was committed between the moment asked for and the end of the log, PostgreSQL finds no record to
        stop at; if the log is known to be complete up to that moment, its end is the right state.
        """
        self.say(f"Recovering to {self.plan.ends}")
        try:
            return self._started(self._recovery_target())
        except BackupFault as fault:
            complete = self.plan.time and self.plan.complete_until and self.plan.time <= self.plan.complete_until
            if _UNREACHED not in str(fault):
                raise
            if not complete:
                raise BackupFault(f"The log ends before {self.plan.ends}; nothing was put in place.") from None
            return self._started({})

    def _started(self, target: dict[str, str]) -> Instance:
        command = {"restore_command": f'cp "{self.log}/%f" "%p"', "recovery_target_action": "promote"}
        instance = Instance(self.building, self.where.root / f"{self.id}.log", command | target)
        instance.start()
        try:
            instance.wait()
            if target and not instance.says("recovery stopping"):
                raise BackupFault(f"The log ends before {self.plan.ends}; nothing was put in place.")
        except BaseException:
            instance.kill()
            raise
        return instance

    def _recovery_target(self) -> dict[str, str]:
        if self.plan.point:
            return {"recovery_target_name": self.plan.point.name}
        return {"recovery_target_time": self.plan.time.isoformat()} if self.plan.time else {}

    def _put_in_place(self) -> None:
        """Move the new cluster to its name; what was there keeps another one, until the operator removes it."""
        target = self.plan.target
        if target.kept:
            target.folder.rename(target.kept)
        elif target.folder.exists():
            target.folder.rmdir()  # empty, as `refuse` saw
        self.building.rename(target.folder)
        if target.home:
            self._restart_log()

    def _restart_log(self) -> None:
        """The log goes on in a new timeline: what the spool held is set aside, and the next backup is a full one."""
        old = self.where.spool / self.plan.base.system
        if old.is_dir():
            old.rename(self.where.root / f"spool-before-{self.id}")
        self.where.full_demanded.write_text("the database was restored\n")
