"""Chains: a full backup with those that stand on it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from ops.backup.catalogue import Catalogue, Entry, moment
from ops.backup.faults import BackupFault


@dataclass(frozen=True)
class Chain:
    """A full backup and all that stands on it, oldest first."""

    links: tuple[Entry, ...]

    @property
    def id(self) -> str:
        """The name of its full backup."""
        return self.links[0].id

    @property
    def system(self) -> str:
        """The cluster that it is of."""
        return self.links[0].system

    @property
    def time(self) -> datetime:
        """The moment of its full backup."""
        return moment(self.links[0].stopped)

    @property
    def size(self) -> int:
        """The bytes that it takes in the repository."""
        return sum(link.size for link in self.links)

    @property
    def archive(self) -> bool:
        """Whether it was taken to be kept long."""
        return self.links[0].type == "archive"

    def holds(self, backups: Iterable[str]) -> bool:
        """Whether one of these backups is a link of it."""
        return not {link.id for link in self.links}.isdisjoint(backups)


def chains(known: Catalogue) -> list[Chain]:
    """The chains, oldest first; a backup whose full one is missing or damaged belongs to none."""
    found: dict[str, list[Entry]] = {}
    for entry in known.entries:
        if root := _root(known, entry):
            found.setdefault(root, []).append(entry)
    return [Chain(tuple(links)) for links in found.values()]


def _root(known: Catalogue, entry: Entry) -> str:
    try:
        return known.chain(entry)[0].id
    except BackupFault:
        return ""
