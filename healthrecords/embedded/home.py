"""The data directory: its layout, and the reasons why a start on it is refused."""

import fcntl
import json
import os
import pwd
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from .datadir import reachable_by_all
from .faults import CannotStart

LAYOUT = 1
NEEDED = 300 * 1024 * 1024  # bytes free for a start
EXHAUSTED = 32 * 1024 * 1024  # bytes free below which a failure is put down to the disk
_MARKER = "healthrecords.json"
_FOLDERS = ("secrets", "logs", "run", "valkey", "seaweedfs", "static")


@dataclass(frozen=True)
class Home:
    """A data directory. Only we may read it; root leaves a way through for the account that runs PostgreSQL."""

    root: Path

    def __truediv__(self, name: str) -> Path:
        return self.root / name

    @property
    def logs(self) -> Path:
        """Where each child's output goes."""
        return self.root / "logs"

    @property
    def records(self) -> Path:
        """Where the process ids of running children are kept."""
        return self.root / "run"

    def prepare(self) -> None:
        """Create what is missing; raise CannotStart if the directory is not ours to use."""
        try:
            self._make_folders()
            self._refuse_foreign()
            self.root.chmod(_mode())
            for name in _FOLDERS:
                (self.root / name).mkdir(mode=0o700, exist_ok=True)
        except OSError as fault:
            raise CannotStart(
                f"The data directory {self.root} cannot be used ({fault.strerror}); name another with "
                "HEALTHCARE_DATA_DIR."
            ) from None

    def _make_folders(self) -> None:
        missing = [path for path in (self.root, *self.root.parents) if not path.exists()]
        self.root.mkdir(parents=True, exist_ok=True)
        for path in missing:
            path.chmod(_mode())

    def _refuse_foreign(self) -> None:
        marker, owner = self.root / _MARKER, self.root.stat().st_uid
        if owner != os.geteuid():
            raise CannotStart(
                f"The data directory {self.root} belongs to {_account_name(owner)}; start as that account or name "
                "another with HEALTHCARE_DATA_DIR."
            )
        if marker.exists():
            refuse_other_layout(self.root, marker.read_text())
        elif any(self.root.iterdir()):
            raise CannotStart(f"{self.root} holds other files; name an empty directory with HEALTHCARE_DATA_DIR.")
        else:
            write_private(marker, json.dumps({"layout": LAYOUT}))

    def refuse_unreachable(self) -> None:
        """Raise CannotStart if root's PostgreSQL account could not get to its data."""
        if os.geteuid() == 0 and not reachable_by_all(self.root):
            raise CannotStart(
                f"PostgreSQL does not run as root but as `nobody`, which cannot reach {self.root}; name another "
                "directory with HEALTHCARE_DATA_DIR, below one that everybody may pass through."
            )

    def refuse_full_disk(self) -> None:
        """Raise CannotStart if there is not enough room for a start."""
        if self.free() < NEEDED:
            raise CannotStart(self.full_disk())

    def free(self) -> int:
        """Return the bytes that are free for us."""
        return shutil.disk_usage(self.root).free

    def full_disk(self) -> str:
        """Return the sentence about the full disk."""
        return (
            f"The disk of {self.root} has {self.free() >> 20} MB free and {NEEDED >> 20} MB are needed; make room or "
            "name a directory on another disk with HEALTHCARE_DATA_DIR."
        )

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the directory for one supervisor; raise CannotStart if another holds it."""
        with (self.root / "lock").open("a+") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise CannotStart(self._held_by(file)) from None
            file.truncate(0)
            file.write(str(os.getpid()))
            file.flush()
            yield

    def _held_by(self, file: IO[str]) -> str:
        file.seek(0)
        return (
            f"A server already runs on {self.root} (process {file.read().strip() or 'unknown'}); stop it first or name "
            "another directory with HEALTHCARE_DATA_DIR."
        )


def refuse_other_layout(root: Path, marker: str) -> None:
    """Raise CannotStart unless `marker`, the content of the marker file, names the layout that we know."""
    try:
        found = json.loads(marker)["layout"]
    except (ValueError, KeyError, TypeError):
        found = "unreadable"
    if found != LAYOUT:
        raise CannotStart(
            f"The data directory {root} has layout {found} and this version knows {LAYOUT}; start the version that "
            "made it or name another with HEALTHCARE_DATA_DIR."
        )


def write_private(path: Path, text: str) -> None:
    """Write a file that only we may read, in one step: a crash leaves the old content or the new."""
    new = path.with_name(f".{path.name}.new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)


def _mode() -> int:
    """Root's folders have a way through for the account that runs PostgreSQL; what lies in them is closed to it."""
    return 0o711 if os.geteuid() == 0 else 0o700


def _account_name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"account {uid}"
