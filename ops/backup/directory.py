"""A repository in a directory, best on another machine's disk."""

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from secrets import token_hex

from .faults import BackupFault, DiskFull, Missing, RepositoryDown
from .flow import CHUNK, Readable
from .repository import Stored

_NEW = ".new-"
NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class Directory:
    """Objects as files: written beside, flushed to the disk, then linked to their name, which must be free."""

    def __init__(self, root: Path) -> None:
        self.root, self.address = root, f"file://{root}"

    def check(self) -> None:
        """Raise RepositoryDown unless the directory is there and takes files."""
        if not self.root.is_dir():
            raise RepositoryDown(f"The repository {self.root} is not there; mount its disk, or create the directory.")
        if not os.access(self.root, os.W_OK | os.X_OK):
            raise RepositoryDown(f"The repository {self.root} does not let this account write.")

    def put(self, name: str, content: Readable) -> None:
        """Store a new object."""
        with self._written(name, content) as new:
            try:
                os.link(new, self.root / name)
            except FileExistsError:
                raise BackupFault(f"{name} is in the repository already; objects are never overwritten.") from None

    def replace(self, name: str, content: Readable) -> None:
        """Store an object over another."""
        with self._written(name, content) as new:
            new.replace(self.root / name)

    @contextmanager
    def get(self, name: str) -> Iterator[Readable]:
        """Open an object."""
        try:
            file = (self.root / name).open("rb")
        except FileNotFoundError:
            if not self.root.is_dir():
                self.check()
            raise Missing(f"{name} is missing in the repository {self.root}.") from None
        except OSError as fault:
            raise RepositoryDown(f"The repository {self.root} cannot be read ({fault.strerror}).") from None
        with file:
            yield file

    def names(self, prefix: str) -> Iterator[Stored]:
        """List the files below the folder of `prefix`."""
        if not self.root.is_dir():
            self.check()
        for path in sorted((self.root / prefix.rpartition("/")[0]).rglob("*")):
            name = str(path.relative_to(self.root))
            if name.startswith(prefix) and not path.name.startswith(_NEW) and path.is_file():
                facts = path.stat()
                yield Stored(name, facts.st_size, datetime.fromtimestamp(facts.st_mtime, UTC))

    def remove(self, name: str) -> None:
        """Remove a file, and its folder when that was the last."""
        path = self.root / name
        path.unlink(missing_ok=True)
        if path.parent != self.root and path.parent.is_dir() and not any(path.parent.iterdir()):
            path.parent.rmdir()

    def locked_until(self, name: str) -> None:
        """A directory locks nothing."""
        return

    def free(self) -> int:
        """The bytes that are free on its disk."""
        return shutil.disk_usage(self.root).free

    @contextmanager
    def _written(self, name: str, content: Readable) -> Iterator[Path]:
        self.check()
        folder = (self.root / name).parent
        new = folder / f"{_NEW}{token_hex(8)}"
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            _write(new, content)
            yield new
            _flush(folder)
        except OSError as fault:
            if fault.errno in NO_ROOM:
                raise DiskFull(f"The disk of the repository {self.root} is full; make room there.") from None
            raise RepositoryDown(f"The repository {self.root} cannot be written ({fault.strerror}).") from None
        finally:
            new.unlink(missing_ok=True)


def _write(new: Path, content: Readable) -> None:
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400), "wb") as file:
        shutil.copyfileobj(content, file, CHUNK)
        file.flush()
        os.fsync(file.fileno())


def _flush(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
