"""Which archives are kept: those of the HEALTHCARE_BACKUP_ARCHIVE_DAYS before the newest, and the newest of each kind.

It knows no clock, so that one that jumped removes nothing.
"""

from collections.abc import Sequence
from datetime import timedelta

from django.conf import settings

from ops.backup.catalogue import moment
from ops.backup.repository import Repository

from .entries import ENTRY, FOLDER, KINDS, Archive, Archives, archives, remove


def expired(known: Archives, days: int) -> list[Archive]:
    """Those made more than so many days before the newest, without the newest of each kind."""
    if not known.entries:
        return []
    oldest = moment(known.entries[-1].made) - timedelta(days=days)
    newest = {entry.id for kind in KINDS for entry in known.of(kind)[-1:]}
    return [entry for entry in known.entries if moment(entry.made) < oldest and entry.id not in newest]


def due(target: Repository) -> list[Archive]:
    """What may go now: what the store still locks stays. Raise RepositoryDown."""
    return [entry for entry in expired(archives(target), settings.BACKUP_ARCHIVE_DAYS) if not _is_locked(target, entry)]


def _is_locked(target: Repository, entry: Archive) -> bool:
    names = [f"{FOLDER}{entry.id}{ENTRY}", *(part.name for part in entry.parts)]
    return any(target.locked_until(name) for name in names)


def carry_out(going: Sequence[Archive], target: Repository) -> None:
    """Remove archives."""
    for entry in going:
        remove(target, entry.id)
