"""Brings a cluster back in a directory of its own: fetch, verify each link, join, verify the result, recover."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from django.conf import settings

from healthrecords.embedded.postgres import account
from ops.backup.engine import Engine, PostgresTools
from ops.backup.faults import BackupFault, DiskFull
from ops.backup.programs import client_major
from ops.backup.repository import Repository
from ops.backup.sealing import identities

from . import fetching
from .fetching import Advance, Source
from .instance import Instance
from .plan import Plan

Say = Callable[[str], None]
_UNREACHED = "recovery ended before configured recovery target was reached"


def refuse_unfit(plan: Plan) -> None:
    """Raise BackupFault where this host could not carry the plan out: programs, key, room."""
    if not plan.dump and plan.base.major != client_major():
        raise BackupFault(
            f"{plan.base.id} was made by PostgreSQL {plan.base.major} and the programs here are {client_major()}; name "
            "the right ones with HEALTHCARE_POSTGRES_BIN, or restore an archive's dump with --from-dump."
        )
    if not settings.BACKUP_IDENTITY_FILE:
        raise BackupFault("HEALTHCARE_BACKUP_IDENTITY_FILE is not set; a restore needs a private key of a recipient.")
    existing = next(path for path in plan.target.folder.parents if path.exists())
    free = shutil.disk_usage(existing).free
    if free < plan.needed:
        raise DiskFull(f"The disk of {existing} has {free >> 20} MB free and {plan.needed >> 20} MB are needed.")


@contextmanager
def building(plan: Plan) -> Iterator[Path]:
    """The directory, beside the target, where the cluster is built; what a killed run left there goes first."""
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


@dataclass
class Recovery:
    """One cluster on its way back, in `folder`. `messages` is the file to which its server writes."""

    plan: Plan
    repository: Repository
    folder: Path
    messages: Path
    say: Say
    advance: Advance
    engine: Engine = field(default_factory=PostgresTools)

    def build(self) -> None:
        """Fetch the links, verify each, join them, verify the result; lay the log beside."""
        source = Source(self.repository, identities(Path(settings.BACKUP_IDENTITY_FILE)), self.advance)
        fetching.pieces(source, self.plan.pieces, self._log)
        links = self.plan.target.beside("links")
        links.mkdir(mode=0o700)
        for entry in self.plan.links:
            self.say(f"Fetching {entry.id}")
            fetching.link(source, entry, links / entry.id)
            self.engine.verify(links / entry.id)
        if len(self.plan.links) == 1:
            (links / self.plan.base.id).rename(self.folder)
            return
        self.engine.combine([links / entry.id for entry in self.plan.links], self.folder)
        self.engine.verify(self.folder)
        shutil.rmtree(links)

    @property
    def _log(self) -> Path:
        return self.plan.target.beside("log")

    def recovered(self) -> Instance:
        """Start the server and wait until the moment is reached; raise BackupFault, with nothing left running.

        Where nothing was committed between the moment asked for and the end of the log, PostgreSQL finds no record to
        stop at; if the log is known to be complete up to that moment, its end is the right state.
        """
        self.say(f"Recovering to {self.plan.ends}")
        self._ready()
        try:
            return self._started(self._recovery_target())
        except BackupFault as fault:
            complete = self.plan.time and self.plan.complete_until and self.plan.time <= self.plan.complete_until
            if _UNREACHED not in str(fault):
                raise
            if not complete:
                raise BackupFault(f"The log ends before {self.plan.ends}; nothing was put in place.") from None
            return self._started({})

    def _ready(self) -> None:
        (self.folder / "recovery.signal").touch()
        (self.folder / "postmaster.pid").unlink(missing_ok=True)
        if owner := account():
            for folder in (self.folder, self._log):
                fetching.give(folder, owner.uid, owner.gid)

    def _started(self, target: dict[str, str]) -> Instance:
        command = {"restore_command": f'cp "{self._log}/%f" "%p"', "recovery_target_action": "promote"}
        instance = Instance(self.folder, self.messages, command | target)
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
