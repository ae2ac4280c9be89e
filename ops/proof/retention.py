"""Which chains are kept: so many daily, weekly, monthly and yearly ones. Whole chains alone are removed.

The decision is pure: it knows no clock, so that one that jumped removes nothing. `plan` looks, `carry_out` does what
the plan says; what it did not finish is in the next plan.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings

from healthrecords.cli import counted
from ops.archives import retention as old_archives
from ops.archives.entries import Archive
from ops.backup import catalogue as books
from ops.backup import log
from ops.backup.catalogue import Catalogue
from ops.backup.place import place
from ops.backup.repository import Repository, repository

from . import proofs
from .chains import Chain, chains

NEWEST, PROVEN, DAILY = "newest", "last proven", "daily"


@dataclass(frozen=True)
class Keep:
    """How many days, weeks, months and years keep their newest chain; those without a backup are not counted."""

    daily: int
    weekly: int
    monthly: int
    yearly: int

    def periods(self) -> tuple[tuple[str, int, Callable[[datetime], object]], ...]:
        """Each kind's name, how many of it, and what of a time names the period."""
        return (
            (DAILY, self.daily, lambda time: time.date()),
            ("weekly", self.weekly, lambda time: time.isocalendar()[:2]),
            ("monthly", self.monthly, lambda time: (time.year, time.month)),
            ("yearly", self.yearly, lambda time: time.year),
        )


def reasons(found: Sequence[Chain], keep: Keep, restored: Iterable[str]) -> dict[str, list[str]]:
    """Why each chain is kept, by its id; one without a reason may go. `found`: oldest first; `restored`: the proven."""
    why: dict[str, list[str]] = {chain.id: [] for chain in found}
    for chain in found[-1:]:
        why[chain.id].append(NEWEST)
    for chain in [chain for chain in found if chain.holds(restored)][-1:]:
        why[chain.id].append(PROVEN)
    for name, number, period in keep.periods():
        for chosen in list(_best(found, name, period).values())[:number]:
            why[chosen.id].append(name)
    return why


def _best(found: Sequence[Chain], name: str, period: Callable[[datetime], object]) -> dict[object, Chain]:
    """The chain that stands for each period, newest period first: its newest, but an archive before all else."""
    best: dict[object, Chain] = {}
    for chain in reversed(found):
        held = best.setdefault(period(chain.time), chain)
        if name != DAILY and chain.archive and not held.archive:
            best[period(chain.time)] = chain
    return best


@dataclass(frozen=True)
class Plan:
    """What retention would do: why chains are kept, which go, and which objects with them.

    `locked`: chains that would go but for the lock of the store, and until when. `unclear`: backups whose full one is
    missing or damaged, which are left alone.
    """

    kept: dict[str, list[str]]
    going: tuple[Chain, ...]
    locked: dict[str, datetime]
    unclear: tuple[str, ...]
    segments: tuple[str, ...]
    points: tuple[str, ...]
    leftovers: tuple[str, ...]
    archives: tuple[Archive, ...] = ()

    @property
    def freed(self) -> int:
        """The bytes that the chains take which go."""
        return sum(chain.size for chain in self.going)


def plan(target: Repository, keep: Keep | None = None) -> Plan:
    """Look at the repository and decide; raise RepositoryDown."""
    known = books.catalogue(target)
    found = chains(known)
    why = reasons(found, keep or configured(), proofs.proven(target))
    wanted = [chain for chain in found if not why[chain.id]]
    locked = {chain.id: until for chain in wanted if (until := _locked(target, chain))}
    going = tuple(chain for chain in wanted if chain.id not in locked)
    begin = log_begins(found, why)
    return Plan(
        kept={name: said for name, said in why.items() if said},
        going=going,
        locked=locked,
        unclear=_unclear(known, found),
        segments=tuple(name for name in _unneeded(target, begin) if not target.locked_until(name)),
        points=tuple(p.name for p in books.points(target) if log.number_at(p.lsn) < begin.get(p.system, 0)),
        leftovers=tuple(name for name in _leftovers(target, known) if not target.locked_until(name)),
        archives=tuple(old_archives.due(target)),
    )


def configured() -> Keep:
    """What the settings say."""
    return Keep(
        settings.BACKUP_KEEP_DAILY,
        settings.BACKUP_KEEP_WEEKLY,
        settings.BACKUP_KEEP_MONTHLY,
        settings.BACKUP_KEEP_YEARLY,
    )


def log_begins(found: Iterable[Chain], why: dict[str, list[str]]) -> dict[str, int]:
    """For each cluster the number of the first segment of the log that kept chains need.

    Those of the last days and the last proven one can be brought to any moment after them. An older one stands by
    itself: each backup holds the log of its own time.
    """
    begins: dict[str, int] = {}
    for chain in found:
        if chain.system not in begins and {NEWEST, PROVEN, DAILY} & set(why[chain.id]):
            begins[chain.system] = log.number_at(chain.links[0].start_lsn)
    return begins


def _unneeded(target: Repository, begin: dict[str, int]) -> Iterable[str]:
    """Segments from before what is needed; those of a cluster without a needed chain are left alone."""
    for system, first in begin.items():
        for stored in target.names(log.folder(system)):
            name = stored.name.removeprefix(log.folder(system)).partition(".")[0]
            if log.is_segment(name) and log.number(name) < first:
                yield stored.name


def _leftovers(target: Repository, known: Catalogue) -> Iterable[str]:
    """Objects of backups without an entry, good or damaged: what a removal that was cut off left."""
    named = {entry.id for entry in known.entries}
    named |= {name.removeprefix(books.BACKUPS).removesuffix(".json") for name in known.damaged}
    for stored in target.names("backups/"):
        if stored.name.split("/")[1] not in named:
            yield stored.name
    for stored in target.names(proofs.FOLDER):
        if proofs.backup_of(stored.name) not in named:
            yield stored.name


def _unclear(known: Catalogue, found: Iterable[Chain]) -> tuple[str, ...]:
    clear = {link.id for chain in found for link in chain.links}
    return (*(entry.id for entry in known.entries if entry.id not in clear), *known.damaged)


def _locked(target: Repository, chain: Chain) -> datetime | None:
    """Until when the store refuses to remove some part of it; a chain goes as a whole or not at all."""
    names = [part.name for link in chain.links for part in link.parts]
    names += [f"{books.BACKUPS}{link.id}.json" for link in chain.links]
    return max((until for name in names if (until := target.locked_until(name))), default=None)


def thin_out(keep: Keep | None = None) -> Plan:
    """Plan, and carry out while no backup, restore or test runs on this host; raise BackupFault."""
    where, target = place(), repository()
    target.check()
    with where.locked("backup"), where.locked("restore"), where.locked("test"):
        decided = plan(target, keep)
        carry_out(decided, target)
    return decided


def carry_out(decided: Plan, target: Repository) -> None:
    """Remove what the plan names: the log first, then entries from the newest link on, then what they were of."""
    for name in decided.segments:
        target.remove(name)
    for name in decided.points:
        target.remove(f"{books.POINTS}{name}.json")
    for chain in decided.going:
        for link in reversed(chain.links):
            _remove(target, link.id)
    for name in decided.leftovers:
        target.remove(name)
    old_archives.carry_out(decided.archives, target)


def _remove(target: Repository, backup: str) -> None:
    """Take a backup out of the catalogue first: what is named there is complete at any moment."""
    target.remove(f"{books.BACKUPS}{backup}.json")
    for stored in [*target.names(f"backups/{backup}/"), *target.names(f"{proofs.FOLDER}{backup}.")]:
        target.remove(stored.name)


def told(decided: Plan, done: bool) -> str:
    """What was decided, in a sentence."""
    did = "were removed" if done else "would be removed"
    held = f" {counted(len(decided.locked), 'chain')} stay until their lock ends." if decided.locked else ""
    others = f" {counted(len(decided.archives), 'old archive')} {did}, too." if decided.archives else ""
    left = f" Left alone, since a part is missing or damaged: {', '.join(decided.unclear)}." if decided.unclear else ""
    return (
        f"{counted(len(decided.kept), 'chain')} kept; {counted(len(decided.going), 'chain')} "
        f"({decided.freed / 1e6:.1f} MB) and {counted(len(decided.segments), 'segment')} of the log {did}.{others}"
        f"{held}{left}"
    )


def as_rows(decided: Plan) -> list[dict[str, str]]:
    """The chains of a plan, for a table."""
    kept = [(name, "kept", ", ".join(why)) for name, why in decided.kept.items()]
    locked = [(name, "locked", f"until {until:%Y-%m-%d}") for name, until in decided.locked.items()]
    going = [(chain.id, "removed", counted(len(chain.links), "backup")) for chain in decided.going]
    return [{"chain": name, "fate": fate, "why": why} for name, fate, why in sorted(kept + locked + going)]
