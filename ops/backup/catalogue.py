"""The catalogue: one JSON entry for each backup and each named point, written last, checked whenever it is read."""

import hashlib
import io
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

import orjson

from .faults import BackupFault, Damaged
from .repository import Repository

BACKUPS, POINTS = "catalogue/", "points/"
DUMP = "database.dump"  # the role of an archive's dump


@dataclass(frozen=True)
class Part:
    """One object of a backup: what it holds, its sealed size and SHA-256, and its size before that, in bytes."""

    role: str
    name: str
    size: int
    sha256: str
    unpacked: int


@dataclass(frozen=True)
class Entry:
    """A complete backup. Times are UTC in ISO 8601; positions are PostgreSQL's LSNs.

    `stop_lsn` and `stopped` are the earliest moment to which it can be restored. `schema` names the last migration of
    each app; `seal` is what the audit trail's sealer said, or None.
    """

    id: str
    type: str
    parent: str | None
    system: str
    timeline: int
    start_lsn: str
    stop_lsn: str
    started: str
    stopped: str
    finished: str
    database_bytes: int
    parts: tuple[Part, ...]
    postgres: str
    product: str
    keys: tuple[str, ...]
    schema: dict[str, str] | None = None
    seal: Any = None
    layout: int = 1

    @property
    def size(self) -> int:
        """The bytes that it takes in the repository."""
        return sum(part.size for part in self.parts)

    @property
    def unpacked(self) -> int:
        """The bytes that it takes when it is fetched."""
        return sum(part.unpacked for part in self.parts)

    @property
    def major(self) -> int:
        """The major version of the server."""
        return int(self.postgres.split(".")[0])

    def part(self, role: str) -> Part:
        """The part with this role; raise Damaged where the entry names none."""
        found = next((part for part in self.parts if part.role == role), None)
        if not found:
            raise Damaged(f"The catalogue entry of {self.id} names no {role}.")
        return found


@dataclass(frozen=True)
class Point:
    """A named recovery point."""

    name: str
    lsn: str
    time: str
    timeline: int
    system: str
    layout: int = field(default=1)


def moment(text: str) -> datetime:
    """The instant that a time of the catalogue means."""
    return datetime.fromisoformat(text)


def written(time: datetime) -> str:
    """How the catalogue writes a time."""
    return time.astimezone(UTC).isoformat(timespec="microseconds")


def lsn(text: str) -> int:
    """An LSN such as `0/3000060` as the position that it names."""
    high, _, low = text.partition("/")
    return (int(high, 16) << 32) + int(low, 16)


def as_lsn(position: int) -> str:
    """A position as PostgreSQL writes it."""
    return f"{position >> 32:X}/{position & 0xFFFFFFFF:X}"


def encode(document: dict[str, Any]) -> bytes:
    """A document with its hash, in one exact form, so that any changed byte is found."""
    body = orjson.dumps(document, option=orjson.OPT_SORT_KEYS)
    return orjson.dumps({"document": document, "sha256": hashlib.sha256(body).hexdigest()}, option=orjson.OPT_SORT_KEYS)


def decode(data: bytes, name: str) -> dict[str, Any]:
    """The document that `encode` wrote; raise Damaged where a byte differs."""
    try:
        document: dict[str, Any] = orjson.loads(data)["document"]
        whole = encode(document) == data
    except (ValueError, KeyError, TypeError):
        whole = False
    if not whole:
        raise Damaged(f"{name} is damaged: it does not agree with its own hash.")
    return document


def add(repository: Repository, entry: Entry) -> None:
    """Write an entry: from now on the backup is complete."""
    repository.put(f"{BACKUPS}{entry.id}.json", io.BytesIO(encode(asdict(entry))))


def add_point(repository: Repository, point: Point) -> None:
    """Write a named point."""
    repository.put(f"{POINTS}{point.name}.json", io.BytesIO(encode(asdict(point))))


def point_named(repository: Repository, name: str) -> Point:
    """The point of that name; raise BackupFault with the names that there are."""
    names = [each.name.removeprefix(POINTS).removesuffix(".json") for each in repository.names(POINTS)]
    if name not in names:
        raise BackupFault(f"There is no recovery point {name}; there is {', '.join(names) or 'none at all'}.")
    return Point(**_read(repository, f"{POINTS}{name}.json"))


def points(repository: Repository) -> list[Point]:
    """All named points, oldest first."""
    found = [Point(**_read(repository, each.name)) for each in repository.names(POINTS)]
    return sorted(found, key=lambda point: point.time)


@dataclass(frozen=True)
class Catalogue:
    """The entries, oldest first, and the names of those that are damaged."""

    entries: tuple[Entry, ...]
    damaged: tuple[str, ...]

    @property
    def newest(self) -> Entry | None:
        """The backup that was completed last."""
        return self.entries[-1] if self.entries else None

    def chain(self, entry: Entry) -> list[Entry]:
        """A backup and those that it stands on, the full one first; raise BackupFault where a link is missing."""
        links = [entry]
        while links[0].parent:
            parent = next((each for each in self.entries if each.id == links[0].parent), None)
            if not parent:
                raise BackupFault(
                    f"{entry.id} cannot be restored: its link {links[0].parent} is missing or damaged in the catalogue."
                )
            links.insert(0, parent)
        return links

    def named(self, name: str) -> Entry:
        """The entry with this id; raise BackupFault."""
        found = next((entry for entry in self.entries if entry.id == name), None)
        if not found:
            damaged = " Its catalogue entry is damaged." if f"{BACKUPS}{name}.json" in self.damaged else ""
            raise BackupFault(f"There is no backup {name};{damaged} `backup list` names those that there are.")
        return found


def catalogue(repository: Repository) -> Catalogue:
    """Read all entries; damaged ones are named, not used."""
    entries, damaged = [], []
    for stored in repository.names(BACKUPS):
        try:
            entries.append(_entry(_read(repository, stored.name)))
        except Damaged:
            damaged.append(stored.name)
    return Catalogue(_in_order(entries), tuple(damaged))


def _in_order(entries: list[Entry]) -> tuple[Entry, ...]:
    """Oldest first: within a cluster by its log, since clocks jump; of several, the one last backed up is the last."""
    newest: dict[str, str] = {}
    for entry in entries:
        newest[entry.system] = max(entry.stopped, newest.get(entry.system, ""))
    return tuple(sorted(entries, key=lambda entry: (newest[entry.system], entry.timeline, lsn(entry.stop_lsn))))


def _entry(document: dict[str, Any]) -> Entry:
    parts = tuple(Part(**part) for part in document.pop("parts"))
    return Entry(parts=parts, keys=tuple(document.pop("keys")), **document)


def _read(repository: Repository, name: str) -> dict[str, Any]:
    with repository.get(name) as source:
        return decode(source.read(), name)
