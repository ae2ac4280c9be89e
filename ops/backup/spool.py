"""Moves the log from the spool to the repository: finished segments for good, the open one every minute."""

import hashlib
import io
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pyrage import x25519

from . import log
from .catalogue import encode, written
from .faults import BackupFault
from .flow import Measured
from .repository import Repository
from .sealing import SUFFIX, sealed


class Conflict(BackupFault):
    """The repository holds another segment of the same name: the database was restored without a new timeline."""


@dataclass(frozen=True)
class Spool:
    """The spool of one cluster, `SPOOL/SYSTEM`."""

    folder: Path
    target: Repository
    to: Sequence[x25519.Recipient]

    @property
    def system(self) -> str:
        """The cluster's system identifier."""
        return self.folder.name

    def finished(self) -> list[Path]:
        """Finished segments and histories that the repository may not have yet, oldest first."""
        return sorted(path for path in self.folder.iterdir() if log.is_segment(path.name) or log.is_history(path.name))

    def upload_finished(self) -> int:
        """Store what is finished, then remove it here; return how many. A segment is removed only when it is safe."""
        found = self.finished()
        for path in found:
            self._store(path)
            path.unlink()
            self.target.remove(f"{log.open_folder(self.system)}{path.name}{SUFFIX}")
        return len(found)

    def _store(self, path: Path) -> None:
        """Store a file under a name with two hashes: of its content, to know it again, and of what is stored."""
        prefix = f"{log.folder(self.system)}{path.name}."
        content = hashlib.sha256(path.read_bytes()).hexdigest()[: log.HASH_DIGITS]
        there = [each.name.removeprefix(prefix).partition(".")[0] for each in self.target.names(prefix)]
        if content in there:
            return
        if there:
            raise Conflict(
                f"The repository holds another {path.name} of this database; the one here stays in the spool."
            )
        packed = self.folder / f"{path.name}.sealed"
        try:
            digest = self._seal(path, packed)
            with packed.open("rb") as file:
                self.target.put(f"{prefix}{content}.{digest[: log.HASH_DIGITS]}{SUFFIX}", file)
        finally:
            packed.unlink(missing_ok=True)

    def _seal(self, path: Path, packed: Path) -> str:
        with path.open("rb") as plain, sealed(Measured(plain), self.to) as flow, packed.open("wb") as file:
            shutil.copyfileobj(flow, file)
        return flow.sha256

    def upload_open(self) -> None:
        """Replace the copy of the segment that is being written."""
        for path in self.folder.glob(f"*{log.PARTIAL}"):
            with path.open("rb") as plain, sealed(Measured(plain), self.to) as flow:
                name = path.name.removesuffix(log.PARTIAL)
                self.target.replace(f"{log.open_folder(self.system)}{name}{SUFFIX}", flow)

    def note_horizon(self, time: datetime, lsn: str) -> None:
        """Write down up to when the spool is known to be complete."""
        new = self.folder / "horizon.new"
        new.write_bytes(encode({"time": written(time), "lsn": lsn}))
        new.replace(self.folder / "horizon.json")

    def upload_horizon(self, horizon: bytes) -> None:
        """Say it in the repository, too, after the segments that it speaks of."""
        if horizon:
            self.target.replace(f"{log.open_folder(self.system)}horizon.json", io.BytesIO(horizon))
