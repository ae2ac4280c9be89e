"""Where a restore goes: in the place of the local server's cluster, into a new directory, or a new instance."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from django.conf import settings

from healthrecords.embedded.datadir import data_dir, reachable_by_all
from healthrecords.embedded.faults import CannotStart
from healthrecords.embedded.home import Home
from healthrecords.embedded.leftovers import remove_stale_pid_file
from ops.backup.faults import BackupFault


@dataclass(frozen=True)
class Target:
    """The directory of the restored cluster. `kept`: where what it replaces goes. `runs`: it is left running."""

    folder: Path
    kept: Path | None = None
    runs: bool = False
    home: Home | None = None

    def beside(self, what: str) -> Path:
        """A directory beside it, on the same disk, while the restore is under way."""
        return self.folder.with_name(f"{self.folder.name}.{what}")

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep a local server from starting on it; raise BackupFault where one runs."""
        self.refuse()
        if not self.home:
            yield
            return
        try:
            with self.home.locked():
                self.refuse()
                yield
        except CannotStart as fault:
            raise BackupFault(f"{fault} A restore never goes over a running server.") from None

    def refuse(self) -> None:
        """Raise BackupFault where a server runs on it or something else lies there."""
        if self.folder.is_dir() and remove_stale_pid_file(self.folder):
            raise BackupFault(
                f"A server runs on {self.folder}; stop it first, or name another directory with --target."
            )
        if not self.kept and self.folder.exists() and any(self.folder.iterdir()):
            raise BackupFault(f"{self.folder} is not empty; name an empty or a new directory with --target.")
        existing = next(path for path in (self.folder, *self.folder.parents) if path.exists())
        if (
            os.geteuid() == 0
            and not self.home
            and not reachable_by_all(existing if existing.is_dir() else existing.parent)
        ):
            raise BackupFault(
                f"PostgreSQL does not run as root but as `nobody`, which cannot reach {self.folder}; name a directory "
                "below one that everybody may pass through."
            )


def target(name: str | None) -> Target:
    """What --target means: nothing is the local server's own cluster, `new-instance` one beside it."""
    stamp = f"{datetime.now(UTC):%Y%m%dT%H%M%S}"
    if name == "new-instance":
        return Target(settings.BACKUP_WORK_DIR / "instances" / stamp / "cluster", runs=True)
    if name:
        return Target(Path(name).expanduser().absolute())
    if not settings.EMBEDDED:
        raise BackupFault("Name the directory of the new cluster with --target; only `make run` has one of its own.")
    home = Home(data_dir())
    folder = home / "postgres" / "cluster"
    return Target(folder, folder.with_name(f"cluster.before-{stamp}") if folder.exists() else None, home=home)
