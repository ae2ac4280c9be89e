"""The catalogue of archives, beside that of the database's backups: one entry for each, written last.

archives/ID/ROLE.tar.zst.age   what it holds, sealed; `age -d | zstd -d | tar x` opens it
archives/ID/entry.json         written last: the mark that the archive is complete
"""

import io
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

from ops.backup.catalogue import Part, decode, encode
from ops.backup.faults import BackupFault, Damaged
from ops.backup.repository import Repository

Kind = Literal["config", "logs", "application"]
KINDS: tuple[Kind, ...] = get_args(Kind)
FOLDER, ENTRY = "archives/", "/entry.json"


@dataclass(frozen=True)
class Archive:
    """A complete archive. `digests` holds, by role, the SHA-256 of its list of files; `about` what it is of."""

    id: str
    kind: Kind
    made: str
    product: str
    files: int
    parts: tuple[Part, ...]
    digests: dict[str, str]
    keys: dict[str, list[str]]
    about: dict[str, str]
    layout: int = 1

    @property
    def size(self) -> int:
        """The bytes that it takes in the repository."""
        return sum(part.size for part in self.parts)

    @property
    def unpacked(self) -> int:
        """The bytes that it takes when it is fetched."""
        return sum(part.unpacked for part in self.parts)


@dataclass(frozen=True)
class Archives:
    """The archives, oldest first, and the names of entries that are damaged."""

    entries: tuple[Archive, ...]
    damaged: tuple[str, ...]

    def of(self, kind: Kind) -> list[Archive]:
        """Those of a kind, oldest first."""
        return [entry for entry in self.entries if entry.kind == kind]

    def named(self, kind: Kind, name: str) -> Archive:
        """The one with this id, or the newest for `latest`; raise BackupFault."""
        known = self.of(kind)
        found = known[-1:] if name == "latest" else [entry for entry in known if entry.id == name]
        if not found:
            there = ", ".join(entry.id for entry in known[-5:]) or "none at all"
            raise BackupFault(f"There is no archive {name} of the kind {kind}; there is {there}.")
        return found[0]


def add(target: Repository, entry: Archive) -> None:
    """Write an entry: from now on the archive is complete."""
    target.put(f"{FOLDER}{entry.id}{ENTRY}", io.BytesIO(encode(asdict(entry))))


def archives(target: Repository) -> Archives:
    """Read all entries; damaged ones are named, not used. Raise RepositoryDown."""
    entries, damaged = [], []
    for stored in target.names(FOLDER):
        if stored.name.endswith(ENTRY):
            try:
                with target.get(stored.name) as source:
                    entries.append(_entry(decode(source.read(), stored.name)))
            except Damaged:
                damaged.append(stored.name)
    return Archives(tuple(sorted(entries, key=lambda entry: entry.made)), tuple(damaged))


def _entry(document: dict[str, Any]) -> Archive:
    parts = tuple(Part(**part) for part in document.pop("parts"))
    return Archive(parts=parts, **document)


def remove(target: Repository, archive: str) -> None:
    """Remove an archive, its entry first: what has one is complete at any moment."""
    target.remove(f"{FOLDER}{archive}{ENTRY}")
    for stored in list(target.names(f"{FOLDER}{archive}/")):
        target.remove(stored.name)


def unfinished(target: Repository, kind: Kind) -> list[str]:
    """The ids of archives of a kind that have no entry: what a run that was killed left."""
    names = [stored.name for stored in target.names(f"{FOLDER}{kind}-")]
    finished = {name.removesuffix(ENTRY) for name in names if name.endswith(ENTRY)}
    begun = {name.rpartition("/")[0] for name in names}
    return sorted(name.removeprefix(FOLDER) for name in begun - finished)
