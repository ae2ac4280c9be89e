"""What there is to restore: chains, points, how far the log reaches, and what an operator should mind."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from django.conf import settings

from . import kit, log
from .catalogue import Catalogue, Entry, Point, catalogue, moment, points
from .place import Place, place
from .repository import Repository, repository

RECEIVER_SILENT = timedelta(minutes=2)


@dataclass(frozen=True)
class Overview:
    """Backups oldest first; `begin` and `until` are the range that can be restored to any moment without a gap."""

    known: Catalogue
    points: tuple[Point, ...]
    begin: datetime | None
    until: datetime | None
    receiver: dict[str, Any]
    warnings: tuple[str, ...]


def overview(now: datetime | None = None) -> Overview:
    """Look at the repository and at this host; raise BackupFault where the repository does not answer."""
    where, target, now = place(), repository(), now or datetime.now(UTC)
    known = catalogue(target)
    begin, until = _range(known, target, where)
    receiver = receiver_state(where)
    warnings = tuple(_warnings(where, known, receiver, now))
    return Overview(known, tuple(points(target)), begin, until, receiver, warnings)


def _range(known: Catalogue, target: Repository, where: Place) -> tuple[datetime | None, datetime | None]:
    """The longest range that ends now: from the oldest backup after which the log has no gap."""
    if not known.newest:
        return None, None
    there = log.log_of(target, known.newest.system, where.spool)
    begin: Entry | None = None
    for entry in reversed([entry for entry in known.entries if entry.system == known.newest.system]):
        first = log.number_at(entry.stop_lsn)
        if log.gap(first, there.following(entry.timeline, first)) is not None:
            break
        begin = entry
    until = max(there.horizon.time if there.horizon else moment(known.newest.stopped), moment(known.newest.stopped))
    return (moment(begin.stopped) if begin else None), until


def receiver_state(where: Place) -> dict[str, Any]:
    """What the receiver of this host last said about itself; empty where none ran."""
    try:
        found: dict[str, Any] = orjson.loads((where.root / "receiver.json").read_bytes())
    except (OSError, orjson.JSONDecodeError):
        return {}
    return found


def warnings() -> list[str]:
    """What a start and the console should say; needs neither database nor repository."""
    where = place()
    return list(_of_this_host(where))


def _of_this_host(where: Place) -> list[str]:
    found = [kit.missing(where)] if kit.missing(where) else []
    if where.full_demanded.is_file():
        found.append(f"A full backup is needed: {where.full_demanded.read_text().strip()}.")
    if settings.EMBEDDED and where.root.is_dir() and where.root.stat().st_dev == settings.DATA_DIR.stat().st_dev:
        found.append(
            f"The backups in {where.root} are on the disk of the data and would be lost with it; name another "
            "disk with HEALTHCARE_BACKUP_WORK_DIR and HEALTHCARE_BACKUP_REPOSITORY."
        )
    return found


def _warnings(where: Place, known: Catalogue, receiver: dict[str, Any], now: datetime) -> list[str]:
    found = _of_this_host(where)
    found += [f"{name} is damaged and is not used." for name in known.damaged]
    if not receiver or now - datetime.fromisoformat(receiver["time"]) > RECEIVER_SILENT:
        found.append("The log is not received: `backup receive` does not run on this host.")
    elif receiver["trouble"]:
        found.append(receiver["trouble"])
    return found
