"""The engine: what makes, verifies and joins copies of a cluster. Another one needs these five methods."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from .faults import Damaged
from .programs import run
from .server import login

MANIFEST = "backup_manifest"


@dataclass(frozen=True)
class Span:
    """What a manifest says: the cluster, its timeline, and the positions between which the copy was made."""

    system: str
    timeline: int
    start: str
    stop: str


class Engine(Protocol):
    """Copies of a running cluster. Each raises BackupFault with one sentence."""

    def full(self, folder: Path, watch: Callable[[], None]) -> Span:
        """Copy everything into `folder`, as tar files beside their manifest."""

    def incremental(self, folder: Path, manifest: Path, watch: Callable[[], None]) -> Span:
        """Copy what changed since the copy of that manifest."""

    def verify(self, folder: Path) -> None:
        """Compare a copy, as tar files or unpacked, with its manifest; raise Damaged."""

    def combine(self, links: Sequence[Path], target: Path) -> None:
        """Join a full copy and its incremental ones, all unpacked, to one cluster in `target`."""

    def dump(self, file: Path, watch: Callable[[], None]) -> None:
        """Write the database in a form that survives a change of the major version."""


class PostgresTools:
    """PostgreSQL's own programs over libpq."""

    def full(self, folder: Path, watch: Callable[[], None]) -> Span:
        """pg_basebackup with the log of its time, so that it can be restored by itself."""
        return self._base(folder, watch)

    def incremental(self, folder: Path, manifest: Path, watch: Callable[[], None]) -> Span:
        """pg_basebackup --incremental; the server must have kept its summaries since that manifest."""
        return self._base(folder, watch, f"--incremental={manifest}")

    def _base(self, folder: Path, watch: Callable[[], None], *more: str) -> Span:
        options = ("--format=tar", "--wal-method=stream", "--checkpoint=fast", "--no-sync", "--no-password")
        run("pg_basebackup", f"--pgdata={folder}", *options, *more, environment=login(), watch=watch)
        return span(folder / MANIFEST)

    def verify(self, folder: Path) -> None:
        """pg_verifybackup; it reads the log only where the copy is unpacked."""
        packed = ("--no-parse-wal",) if (folder / "base.tar").exists() else ()
        try:
            run("pg_verifybackup", "--exit-on-error", "--quiet", *packed, str(folder))
        except Exception as fault:
            raise Damaged(f"The copy in {folder} does not agree with its manifest: {fault}") from None

    def combine(self, links: Sequence[Path], target: Path) -> None:
        """pg_combinebackup; it does not verify what it reads, so that `verify` comes before and after.

        Files that did not change are linked, not copied: the links are removed before the result is started.
        """
        run("pg_combinebackup", "--no-sync", "--link", f"--output={target}", *map(str, links))

    def dump(self, file: Path, watch: Callable[[], None]) -> None:
        """pg_dump in its custom format, uncompressed since it is compressed on the way."""
        run(
            "pg_dump",
            "--format=custom",
            "--compress=0",
            "--no-password",
            f"--file={file}",
            environment=login(),
            watch=watch,
        )


def span(manifest: Path) -> Span:
    """Read the positions from a manifest; raise Damaged."""
    try:
        document = json.loads(manifest.read_bytes())
        last, first = document["WAL-Ranges"][-1], document["WAL-Ranges"][0]
        return Span(str(document["System-Identifier"]), last["Timeline"], first["Start-LSN"], last["End-LSN"])
    except (OSError, ValueError, KeyError, IndexError):
        raise Damaged(f"The manifest {manifest} cannot be read.") from None
