"""Restores: fetch, verify each link, join, verify the result, recover to the moment, check, put in place."""

import ctypes
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic

from healthrecords.cli import host_request
from ops import runs
from ops.backup.faults import Damaged
from ops.backup.place import Place
from ops.backup.repository import Repository

from . import checks
from .checks import Findings
from .fetching import Advance
from .instance import Instance
from .journal import Journal, journal
from .plan import Plan
from .recovering import Recovery, Say, building, refuse_unfit
from .reloading import Reload


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
    refuse_unfit(plan)
    with where.locked("restore"), plan.target.held(), building(plan) as folder:
        return _Restore(plan, repository, where, say, advance, folder).run()


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
        messages = self.where.root / f"{self.id}.log"
        kind = Reload if self.plan.dump else Recovery
        self.recovery = kind(self.plan, self.repository, self.building, messages, self.say, self.advance)

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
        self.recovery.build()
        self.book.note(self.id, "built")
        findings, epoch = self._recover()
        if not findings.good:
            raise Damaged(f"The restored database was not put in place: {findings.corruption}")
        _flush(self.building)
        self._put_in_place()
        seconds = monotonic() - self.began
        self.book.note(self.id, "done", seconds=seconds, bytes=self.plan.needed, rows=sum(findings.rows.values()))
        return Restored(self.id, self.plan.target.folder, self.plan.target.kept, findings, epoch, seconds)

    def _recover(self) -> tuple[Findings, bool]:
        """Replay the log up to the moment, then check what is there."""
        instance = self.recovery.recovered()
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
