"""The write-ahead log in the repository: names of segments, what is there, what is missing.

A finished segment is `wal/SYSTEM/SEGMENT.CONTENT.SEALED.zst.age`, with half the SHA-256 of its content, by which it is
known again, and of the stored object, so that it can be verified without a key. The segment that is being written is
`open/SYSTEM/SEGMENT.zst.age`.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from .catalogue import decode, lsn, moment
from .faults import Missing
from .repository import Repository, Stored
from .sealing import SUFFIX

SEGMENT_BYTES = 16 * 1024 * 1024
PARTIAL = ".partial"
HASH_DIGITS = 32
_SEGMENT = re.compile(r"^[0-9A-F]{24}$")
_HISTORY = re.compile(r"^[0-9A-F]{8}\.history$")


def number(segment: str) -> int:
    """The number of a segment, counted from the beginning of the log, whatever its timeline."""
    return int(segment[8:16], 16) * 256 + int(segment[16:24], 16)


def number_at(position: str) -> int:
    """The number of the segment that holds an LSN; a position at the very end of one belongs to it."""
    return (max(lsn(position), 1) - 1) // SEGMENT_BYTES


def timeline(segment: str) -> int:
    """The timeline of a segment or of a history file."""
    return int(segment[:8], 16)


def segment_name(timeline_: int, number_: int) -> str:
    """The name that PostgreSQL gives a segment."""
    return f"{timeline_:08X}{number_ // 256:08X}{number_ % 256:08X}"


def is_segment(name: str) -> bool:
    """Whether a file of the spool is a finished segment."""
    return bool(_SEGMENT.match(name))


def is_history(name: str) -> bool:
    """Whether a file of the spool is the history of a timeline."""
    return bool(_HISTORY.match(name))


def folder(system: str) -> str:
    """Where the finished segments of a cluster are."""
    return f"wal/{system}/"


def open_folder(system: str) -> str:
    """Where the segment that is being written is."""
    return f"open/{system}/"


def stored_hash(name: str) -> str:
    """What a stored object's own SHA-256 must begin with, by its name; empty for a name that says nothing."""
    return name.removesuffix(SUFFIX).rpartition(".")[2]


@dataclass(frozen=True)
class Piece:
    """A segment or a history file that can be had: from the repository by its object, or from the spool by its path.

    `whole` is false for the segment that was being written.
    """

    name: str
    size: int
    stored: Stored | None = None
    path: Path | None = None
    whole: bool = True


@dataclass(frozen=True)
class Horizon:
    """Up to when the log is known to be here: everything that was committed before `time` lies before `lsn`."""

    time: datetime
    lsn: str


@dataclass(frozen=True)
class Log:
    """What there is of one cluster's log, the spool of this host included."""

    pieces: dict[str, Piece]
    horizon: Horizon | None = None

    def history(self) -> list[Piece]:
        """The history files."""
        return [piece for name, piece in self.pieces.items() if is_history(name)]

    def following(self, timeline_: int, first: int) -> list[Piece]:
        """The segments from number `first` on, of that timeline and of later ones, in order."""
        found = [
            piece
            for name, piece in self.pieces.items()
            if is_segment(name) and timeline(name) >= timeline_ and number(name) >= first
        ]
        return sorted(found, key=lambda piece: (number(piece.name), timeline(piece.name)))


def gap(first: int, pieces: Iterable[Piece]) -> int | None:
    """The number of the first segment that is missing before the last one, or None."""
    numbers = {number(piece.name) for piece in pieces}
    return next((each for each in range(first, max(numbers, default=first)) if each not in numbers), None)


def log_of(repository: Repository, system: str, spool: Path) -> Log:
    """List what the repository and the spool hold."""
    pieces: dict[str, Piece] = {}
    for stored in repository.names(open_folder(system)):
        name = stored.name.removeprefix(open_folder(system)).removesuffix(SUFFIX)
        if is_segment(name):
            pieces[name] = Piece(name, stored.size, stored, whole=False)
    pieces |= _in_spool(spool / system) | finished(repository, system)
    return Log(pieces, _horizon(repository, system, spool))


def finished(repository: Repository, system: str) -> dict[str, Piece]:
    """The finished segments and history files that the repository holds, by their names."""
    found: dict[str, Piece] = {}
    for stored in repository.names(folder(system)):
        name = stored.name.removeprefix(folder(system)).removesuffix(SUFFIX).rsplit(".", 2)[0]
        found[name] = Piece(name, stored.size, stored)
    return found


def _in_spool(spool: Path) -> dict[str, Piece]:
    """What the spool holds and may not be in the repository yet; the open segment here is newer than there."""
    found: dict[str, Piece] = {}
    for path in spool.glob("*") if spool.is_dir() else ():
        name = path.name.removesuffix(PARTIAL)
        if is_segment(name) or is_history(name):
            found[name] = Piece(name, path.stat().st_size, path=path, whole=name == path.name)
    return found


def _horizon(repository: Repository, system: str, spool: Path) -> Horizon | None:
    here = spool / system / "horizon.json"
    if here.is_file():
        return horizon_in(here.read_bytes(), str(here))
    name = f"{open_folder(system)}horizon.json"
    try:
        with repository.get(name) as source:
            return horizon_in(source.read(), name)
    except Missing:
        return None


def horizon_in(data: bytes, name: str) -> Horizon:
    """Read a horizon; raise Damaged."""
    document = decode(data, name)
    return Horizon(moment(document["time"]), document["lsn"])
