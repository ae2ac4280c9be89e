"""How far the trail is sealed and shipped, at a glance."""

from dataclasses import asdict, dataclass
from datetime import datetime

from django.utils import timezone

from compliance.audit import heads, sealing, shipping
from compliance.audit.models import AuditSeal, AuditShipment


@dataclass(frozen=True)
class PlaceStatus:
    """How far a place is, how old the newest statement is that it has, and how long what it lacks has waited."""

    place: str
    statement: int
    shipped_at: datetime | None
    age_seconds: float | None
    waiting_seconds: float
    fault: str


@dataclass(frozen=True)
class Status:
    """Ages are in seconds; `oldest_unsealed_seconds` is 0 where nothing waits."""

    statement: int
    epoch: int
    sealed_events: int
    last_seal: datetime | None
    last_seal_seconds: float | None
    unsealed_events: int
    oldest_unsealed_seconds: float
    places: list[PlaceStatus]

    def as_row(self) -> dict[str, object]:
        """Without the places, for a table."""
        return {name: value for name, value in asdict(self).items() if name != "places"}


def status() -> Status:
    """The state of sealing and shipping now."""
    newest, (waiting, oldest), now = heads.last(), sealing.unsealed(), timezone.now()
    said = newest.said if newest else {"number": 0, "epoch": 1, "size": 0}
    return Status(
        said["number"],
        said["epoch"],
        said["size"],
        newest.row.time if newest else None,
        (now - newest.row.time).total_seconds() if newest else None,
        waiting,
        (now - oldest).total_seconds() if oldest else 0.0,
        [of(state) for state in AuditShipment.objects.order_by("place")],
    )


def newest() -> dict[str, object] | None:
    """The newest statement as a backup's catalogue entry names it (socket BACKUP_TRAIL_SEAL); None before the first."""
    head = heads.last()
    if not head:
        return None
    return {"number": head.row.number, "epoch": head.row.epoch, "digest": head.digest, "key": head.row.key}


def of(state: AuditShipment) -> PlaceStatus:
    """The state of one place."""
    held = AuditSeal.objects.using("sealer").filter(number=state.number).values_list("time", flat=True).first()
    age = (timezone.now() - held).total_seconds() if held else None
    return PlaceStatus(state.place, state.number, state.shipped_at, age, shipping.lag(state), state.fault)
