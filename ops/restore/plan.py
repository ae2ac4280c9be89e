"""Plans a restore: which links, which log, how much, how long, what is lost. Nothing is touched."""

from dataclasses import dataclass
from datetime import UTC, datetime

from ops.backup import log
from ops.backup.catalogue import DUMP, Catalogue, Entry, Point, catalogue, lsn, moment, point_named
from ops.backup.faults import BackupFault, OutsideRange
from ops.backup.log import Log, Piece
from ops.backup.place import Place
from ops.backup.repository import Repository

from .journal import rate
from .target import Target

_CLUSTER = 64 * 1024 * 1024  # bytes of an empty cluster with its log
_USUAL_RATE = 40e6  # bytes a second, until a restore was measured


@dataclass(frozen=True)
class Wanted:
    """What is asked for: a backup's id or `latest`, and a time or a point at which recovery stops.

    A point is the name of one in the repository, or one that is in none.
    """

    backup: str = "latest"
    time: datetime | None = None
    point: str | Point | None = None
    accept_gap: bool = False
    dump: bool = False


@dataclass(frozen=True)
class Plan:
    """A restore before it begins. `seconds` is an estimate, from a measured rate if `measured`."""

    links: tuple[Entry, ...]
    pieces: tuple[Piece, ...]
    time: datetime | None
    point: Point | None
    target: Target
    fetched: int
    needed: int
    seconds: float
    measured: bool
    lost: str
    complete_until: datetime | None
    dump: bool = False

    @property
    def base(self) -> Entry:
        """The backup from which recovery begins."""
        return self.links[-1]

    @property
    def ends(self) -> str:
        """The moment to which the database is brought, in words."""
        if self.dump:
            return f"its dump of {self.base.finished}"
        if self.point:
            return f"the point {self.point.name} ({self.point.time})"
        return f"{self.time:%Y-%m-%d %H:%M:%S.%f} UTC" if self.time else "the newest moment there is"


def make(wanted: Wanted, target: Target, repository: Repository, where: Place) -> Plan:
    """Plan; raise BackupFault with the reason, and OutsideRange with the range that can be restored."""
    known = catalogue(repository)
    if not known.entries:
        raise BackupFault(f"There is no complete backup in {repository.address}.")
    if wanted.dump:
        return _of_dump(wanted, known, target, where)
    point = point_named(repository, wanted.point) if isinstance(wanted.point, str) else wanted.point
    base = _base(wanted, point, known)
    there = log.log_of(repository, base.system, where.spool)
    _refuse_outside(wanted, base, known, there)
    first = log.number_at(base.stop_lsn)
    pieces = _usable(first, there.following(base.timeline, first), wanted, point)
    links = tuple(known.chain(base))
    fetched = sum(link.size for link in links) + sum(piece.size for piece in pieces)
    needed = sum(link.unpacked for link in links) + base.database_bytes + len(pieces) * log.SEGMENT_BYTES
    measured = rate(where)
    return Plan(
        links=links,
        pieces=(*there.history(), *pieces),
        time=wanted.time,
        point=point,
        target=target,
        fetched=fetched,
        needed=needed,
        seconds=needed / (measured or _USUAL_RATE),
        measured=bool(measured),
        lost=_lost(wanted, point, there, base),
        complete_until=there.horizon.time if there.horizon else None,
    )


def _of_dump(wanted: Wanted, known: Catalogue, target: Target, where: Place) -> Plan:
    """The dump of the named archive or of the newest: one moment, without the log."""
    if wanted.time or wanted.point:
        raise BackupFault("A dump is of one moment; leave out --to-time and --to-point, or --from-dump.")
    archives = [entry for entry in known.entries if entry.type == "archive"]
    base = known.named(wanted.backup) if wanted.backup != "latest" else archives[-1] if archives else None
    if base not in archives or not base:
        raise BackupFault("Only an archive has a dump; name one, or take one with `backup database --type archive`.")
    part = base.part(DUMP)
    needed, measured = 3 * part.unpacked + _CLUSTER, rate(where)
    return Plan(
        links=(base,),
        pieces=(),
        time=None,
        point=None,
        target=target,
        fetched=part.size,
        needed=needed,
        seconds=needed / (measured or _USUAL_RATE),
        measured=bool(measured),
        lost=f"everything after {moment(base.finished):%Y-%m-%d %H:%M:%S} UTC",
        complete_until=None,
        dump=True,
    )


def _base(wanted: Wanted, point: Point | None, known: Catalogue) -> Entry:
    """The named backup, or the newest from which the moment can be reached."""
    if wanted.backup != "latest":
        return known.named(wanted.backup)
    reaching = [entry for entry in known.entries if _reaches(entry, wanted.time, point)]
    if reaching:
        return reaching[-1]
    raise OutsideRange(f"No backup was complete by then; what can be restored begins at {_begin(known)}.")


def _reaches(entry: Entry, time: datetime | None, point: Point | None) -> bool:
    if point:
        return entry.system == point.system and lsn(entry.stop_lsn) <= lsn(point.lsn)
    return time is None or moment(entry.stopped) <= time


def _begin(known: Catalogue) -> str:
    return f"{moment(known.entries[0].stopped):%Y-%m-%d %H:%M:%S} UTC"


def _refuse_outside(wanted: Wanted, base: Entry, known: Catalogue, there: Log) -> None:
    until = there.horizon.time if there.horizon else moment(base.stopped)
    if wanted.time and not moment(base.stopped) <= wanted.time <= until:
        raise OutsideRange(
            f"{wanted.time:%Y-%m-%d %H:%M:%S} UTC cannot be restored from {base.id}; what can be restored is "
            f"{_begin(known)} to {until:%Y-%m-%d %H:%M:%S} UTC."
        )
    if wanted.backup != "latest" and wanted.time and wanted.time > datetime.now(UTC):
        raise OutsideRange("That time is yet to come.")


def _usable(first: int, pieces: list[Piece], wanted: Wanted, point: Point | None) -> list[Piece]:
    """The segments up to the point, or up to the end; a gap is refused unless it is accepted."""
    if point:
        pieces = [piece for piece in pieces if log.number(piece.name) <= log.number_at(point.lsn)]
        if not any(log.number(piece.name) == log.number_at(point.lsn) for piece in pieces) and pieces:
            raise BackupFault(f"The log does not reach the point {point.name}; its segment is missing.")
    missing = log.gap(first, pieces)
    if missing is None:
        return pieces
    if not wanted.accept_gap:
        name = log.segment_name(log.timeline(pieces[0].name), missing)
        raise BackupFault(
            f"Segment {name} of the log is missing: nothing after it can be restored from this backup. Name a later "
            "backup, or restore what comes before it with --accept-gap."
        )
    return [piece for piece in pieces if log.number(piece.name) < missing]


def _lost(wanted: Wanted, point: Point | None, there: Log, base: Entry) -> str:
    if point or wanted.time:
        return f"everything after {point.time if point else f'{wanted.time:%Y-%m-%d %H:%M:%S} UTC'}"
    if there.horizon:
        return f"what was committed after {there.horizon.time:%Y-%m-%d %H:%M:%S} UTC and is not in the log"
    return f"everything after {moment(base.stopped):%Y-%m-%d %H:%M:%S} UTC: no log was received"


def as_rows(plan: Plan) -> dict[str, str]:
    """The plan as it is shown before anything happens."""
    seconds = f"{plan.seconds:.0f} s" if plan.measured else f"{plan.seconds:.0f} s (not measured yet)"
    return {
        "restores": " + ".join(link.id for link in plan.links),
        "from": f"PostgreSQL {plan.base.postgres}, taken {plan.base.stopped}",
        "log": f"{len(plan.pieces)} segments",
        "up to": plan.ends,
        "into": str(plan.target.folder),
        "replaces": f"what is there now, kept as {plan.target.kept.name}" if plan.target.kept else "nothing",
        "to fetch": f"{plan.fetched / 1e6:.1f} MB",
        "disk needed": f"{plan.needed / 1e6:.1f} MB",
        "takes about": seconds,
        "will be lost": plan.lost,
    }
