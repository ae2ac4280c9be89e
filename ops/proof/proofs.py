"""Proofs: what is kept in the repository of each backup that was restored and found whole, `proofs/ID.TIME.json`."""

import io
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from ops.backup.catalogue import decode, moment
from ops.backup.catalogue import encode as encoded
from ops.backup.repository import Repository

FOLDER = "proofs/"
_STAMP = "%Y%m%dT%H%M%S"


@dataclass(frozen=True)
class Proof:
    """A test restore that found nothing wrong. Times are UTC in ISO 8601.

    `seconds`: from nothing to a database that answers, the measured recovery time (RTO). `age`: how far behind the
    present the data was, in seconds, had everything but the repository been lost (RPO). `dump`: the archive whose dump
    was loaded on the way.
    """

    backup: str
    time: str
    seconds: float
    age: float
    bytes: int
    dump: str = ""
    layout: int = 1


def keep(repository: Repository, proof: Proof) -> None:
    """Write a proof into the repository."""
    name = f"{FOLDER}{proof.backup}.{moment(proof.time):{_STAMP}}.json"
    repository.put(name, io.BytesIO(encoded(asdict(proof))))


def proven(repository: Repository) -> dict[str, datetime]:
    """When each backup that was proven was restored last; from the names alone."""
    found: dict[str, datetime] = {}
    for stored in repository.names(FOLDER):
        backup, stamp = _parts(stored.name)
        time = datetime.strptime(stamp, _STAMP).replace(tzinfo=UTC)
        found[backup] = max(time, found.get(backup, time))
    return found


def backup_of(name: str) -> str:
    """The backup that an object's name says was proven."""
    return _parts(name)[0]


def _parts(name: str) -> tuple[str, str]:
    backup, _, stamp = name.removeprefix(FOLDER).removesuffix(".json").rpartition(".")
    return backup, stamp


def newest(repository: Repository) -> Proof | None:
    """The last proof; raise Damaged."""
    found = max(proven(repository).items(), key=lambda each: each[1], default=None)
    if not found:
        return None
    name = f"{FOLDER}{found[0]}.{found[1]:{_STAMP}}.json"
    with repository.get(name) as source:
        return Proof(**decode(source.read(), name))
