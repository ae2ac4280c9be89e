"""`backup publish`: what there is of backups, for the console, the metrics and the next start."""

import logging
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from django.conf import settings
from django.db import DatabaseError, transaction

from healthrecords.embedded.backup_state import PUBLISHED, Limits, concerns
from ops.backup import overview as seen
from ops.backup import slot
from ops.backup.catalogue import Entry, moment, written
from ops.backup.faults import BackupFault
from ops.backup.overview import Overview
from ops.backup.place import Place, place
from ops.backup.repository import Repository, repository
from ops.backup.server import DatabaseDown

from . import proofs, retention
from .chains import Chain, chains
from .models import Backups

logger = logging.getLogger(__name__)


def publish() -> dict[str, Any]:
    """Look at the repository and write down what is there, in a file and in the database; raise BackupFault."""
    where, target = place(), repository()
    target.check()
    where.prepare()
    found = state(seen.overview(), target)
    _write(where, found)
    with transaction.atomic():
        Backups.objects.update_or_create(number=1, defaults={"time": found["time"], "data": found})
    return found


def refresh() -> None:
    """Publish after something was done; what hinders it is logged, since the work is done by now."""
    try:
        publish()
    except (BackupFault, DatabaseError, OSError) as fault:
        logger.warning("The state of the backups could not be published: %s", fault)


def state(found: Overview, target: Repository) -> dict[str, Any]:
    """All of it as plain values, times in ISO 8601."""
    groups, restored = chains(found.known), proofs.proven(target)
    why = retention.reasons(groups, retention.configured(), restored)
    newest, proof = found.known.newest, proofs.newest(target)
    return {
        "time": written(datetime.now(UTC)),
        "newest": _of_link(newest, restored) if newest else None,
        "proof": vars(proof) if proof else None,
        "begin": written(found.begin) if found.begin else None,
        "until": written(found.until) if found.until else None,
        "bytes": sum(stored.size for prefix in ("backups/", "wal/") for stored in target.names(prefix)),
        "chains": [_of_chain(chain, why[chain.id], restored) for chain in reversed(groups)],
        "points": [{"name": point.name, "time": point.time} for point in found.points],
        "kept_log_bytes": _kept(),
        "warnings": list(found.warnings),
    }


def _of_chain(chain: Chain, why: list[str], restored: dict[str, datetime]) -> dict[str, Any]:
    links = [_of_link(link, restored) for link in chain.links]
    return {"id": chain.id, "type": chain.links[0].type, "size": chain.size, "kept": why, "links": links}


def _of_link(entry: Entry, restored: dict[str, datetime]) -> dict[str, Any]:
    return {
        "id": entry.id,
        "stopped": entry.stopped,
        "size": entry.size,
        "seconds": (moment(entry.finished) - moment(entry.started)).total_seconds(),
        "proven": written(restored[entry.id]) if entry.id in restored else None,
    }


def _kept() -> int | None:
    """The bytes of log that the database keeps for the receiver; None where it cannot be asked."""
    try:
        found = slot.look()
    except DatabaseDown:
        return None
    return found.kept if found else 0


def _write(where: Place, found: dict[str, Any]) -> None:
    new = where.root / f"{PUBLISHED}.new"
    new.write_bytes(orjson.dumps(found))
    new.replace(where.root / PUBLISHED)


def limits() -> Limits:
    """What the settings say."""
    return Limits(timedelta(hours=settings.BACKUP_MAX_HOURS), timedelta(hours=settings.BACKUP_PROOF_MAX_HOURS))


def notices() -> list[str]:
    """What an operator should mind now."""
    return list(concerns(Backups.published(), datetime.now(UTC), limits()))


def told(found: dict[str, Any]) -> str:
    """What was published, in a sentence."""
    said = " ".join(concerns(found, datetime.now(UTC), limits()))
    newest = found["newest"]["id"] if found["newest"] else "none"
    proof = found["proof"]["backup"] if found["proof"] else "none"
    return f"Published: the newest backup is {newest}, the last proven {proof}. {said}".strip()
