"""The working directory of backups: the spool of the log, what is staged, manifests of links, locks, the journal.

It belongs on another disk than the database: what lies in the spool is all that is left of the last moments when the
database's disk is lost.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from .faults import BackupFault


@dataclass(frozen=True)
class Place:
    """The working directory, named by HEALTHCARE_BACKUP_WORK_DIR."""

    root: Path

    @property
    def spool(self) -> Path:
        """What pg_receivewal writes; a segment stays here until the repository has it."""
        return self.root / "spool"

    @property
    def stage(self) -> Path:
        """Where a backup is before it is uploaded; empty while none runs."""
        return self.root / "stage"

    @property
    def manifests(self) -> Path:
        """Manifests of the newest backups, on which incremental ones stand: names and checksums of files."""
        return self.root / "manifests"

    @property
    def full_demanded(self) -> Path:
        """A file whose text says why the next backup must be a full one."""
        return self.root / "full-demanded"

    def prepare(self) -> None:
        """Make the folders; raise BackupFault."""
        try:
            for folder in (self.root, self.spool, self.stage, self.manifests):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if os.geteuid() == 0:
                self.root.chmod(0o711)  # a way through for the account that runs a restored PostgreSQL
        except OSError as fault:
            raise BackupFault(
                f"The working directory {self.root} cannot be used ({fault.strerror}); name another with "
                "HEALTHCARE_BACKUP_WORK_DIR."
            ) from None

    def manifest(self, backup: str) -> Path:
        """Where the manifest of a backup is kept."""
        return self.manifests / f"{backup}.manifest"

    @contextmanager
    def locked(self, name: str, doing: str = "") -> Iterator[None]:
        """Hold the lock `name`; raise BackupFault where another process holds it. It ends with its process.

        `doing` is what others are told that runs, where that is not the lock's name.
        """
        self.prepare()
        with (self.root / f"{name}.lock").open("a+") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                file.seek(0)
                holder, _, what = file.read().strip().partition(" ")
                raise BackupFault(
                    f"A {what or name} runs already (process {holder or 'unknown'}); try again when it has ended."
                ) from None
            file.truncate(0)
            file.write(f"{os.getpid()} {doing}".strip())
            file.flush()
            yield


def place() -> Place:
    """The working directory of these settings."""
    return Place(settings.BACKUP_WORK_DIR)
