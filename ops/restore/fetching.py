"""Fetches what a plan names: hashes compared, decrypted, unpacked on the way; nothing damaged gets through."""

import os
import shutil
import tarfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO, cast

from pyrage import x25519

from ops.backup import log
from ops.backup.catalogue import Entry, Part
from ops.backup.directory import NO_ROOM
from ops.backup.engine import MANIFEST
from ops.backup.faults import BackupFault, Damaged, DiskFull
from ops.backup.flow import CHUNK, Measured, Readable, drain
from ops.backup.log import Piece
from ops.backup.repository import Repository
from ops.backup.sealing import opened

Advance = Callable[[float], None]
_SIDE_BY_SIDE = 4
_INTO = {"base.tar": ".", "pg_wal.tar": "pg_wal"}


@dataclass(frozen=True)
class Source:
    """The repository, the keys that open it, and who is told about progress."""

    repository: Repository
    keys: Sequence[x25519.Identity]
    advance: Advance = lambda _: None

    @contextmanager
    def part(self, part: Part) -> Iterator[Readable]:
        """Open a part of a backup; its size and hash are compared at the end, whatever else went wrong."""
        with self.repository.get(part.name) as raw:
            measured = Measured(raw, self.advance)
            try:
                with opened(measured, part.name, self.keys) as content:
                    yield content
                    drain(content)
            except (BackupFault, tarfile.TarError, EOFError):
                drain(measured)
                _compare(part, measured)
                raise
            _compare(part, measured)

    def fetch(self, piece: Piece, folder: Path) -> None:
        """Put a segment or a history file into `folder`, by its name."""
        if piece.path:
            shutil.copyfile(piece.path, folder / piece.name)
            self.advance(piece.size)
            return
        assert piece.stored  # noqa: S101  # nosec B101
        with self.repository.get(piece.stored.name) as raw:
            measured = Measured(raw, self.advance)
            with opened(measured, piece.stored.name, self.keys) as content, (folder / piece.name).open("wb") as file:
                shutil.copyfileobj(content, file, CHUNK)
        if log.is_segment(piece.name) and (folder / piece.name).stat().st_size != log.SEGMENT_BYTES:
            raise Damaged(f"{piece.stored.name} is damaged: it holds no whole segment.")


def _compare(part: Part, measured: Measured) -> None:
    if (measured.size, measured.sha256) != (part.size, part.sha256):
        raise Damaged(f"{part.name} is damaged: its content is not what the catalogue says; nothing was put in place.")


def link(source: Source, entry: Entry, folder: Path) -> None:
    """Unpack one link of a chain into `folder`."""
    folder.mkdir(mode=0o700)
    for role, into in _INTO.items():
        with source.part(entry.part(role)) as content:
            unpack(content, folder / into, entry.part(role).name)
    with source.part(entry.part(MANIFEST)) as content, (folder / MANIFEST).open("wb") as file:
        shutil.copyfileobj(content, file, CHUNK)


def unpack(content: Readable, folder: Path, name: str) -> None:
    """Unpack a tar below `folder`; raise Damaged or DiskFull."""
    try:
        with tarfile.open(fileobj=cast(BinaryIO, content), mode="r|", bufsize=CHUNK) as archive:
            for member in archive:  # extractall takes a filter only from Python 3.11.4 on
                archive.extract(_plain(member), folder)
    except tarfile.TarError as fault:
        raise Damaged(f"{name} is damaged: it does not unpack ({fault}).") from None
    except OSError as fault:
        if fault.errno in NO_ROOM:
            raise DiskFull(f"The disk of {folder} is full; make room, or restore to another disk.") from None
        raise


def _plain(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """Let files and folders below the target through and nothing else: no link leads out, so that none is resolved."""
    path = PurePosixPath(member.name)
    if path.is_absolute() or ".." in path.parts or not (member.isfile() or member.isdir()):
        raise Damaged(f"The archive holds {member.name}, which no backup has; nothing was put in place.")
    # TarInfo.replace is newer than our oldest Python, too.
    member.mode = 0o700 if member.isdir() or member.mode & 0o100 else 0o600
    return member


def pieces(source: Source, wanted: Sequence[Piece], folder: Path) -> None:
    """Put the log into `folder`, some segments at a time."""
    folder.mkdir(mode=0o700)
    with ThreadPoolExecutor(_SIDE_BY_SIDE) as pool:
        for done in [pool.submit(source.fetch, piece, folder) for piece in wanted]:
            done.result()


def give(folder: Path, uid: int, gid: int) -> None:
    """Make the account that runs PostgreSQL the owner of all below `folder`."""
    os.chown(folder, uid, gid)
    for path, folders, files in os.walk(folder):
        for name in (*folders, *files):
            os.chown(Path(path) / name, uid, gid, follow_symlinks=False)
