"""Whether two records of one patient tell of the same dose, and which of them counts: facts in, decision out."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import models

# Days apart at which two doses of one group are looked at. Doses that both count are never that near: the shortest
# intervals of routine series are weeks, and CDC's General Best Practice Guidelines (Timing and Spacing of
# Immunobiologics) accept a dose up to four days early, not more. A difference of up to four days is a date that was
# typed, told or sent differently, or a dose that was given too soon; a person must tell which.
NEAR = timedelta(days=4)
# Series whose doses do follow each other within days: rabies after exposure (days 0, 3, 7, 14), oral typhoid (every
# other day). Of these, only the same day is a duplicate.
SHORT_SERIES = frozenset({"RABIES", "TYPHOID"})


class Finding(models.TextChoices):
    """What is said of a pair by rule."""

    CERTAIN, REVIEW = "certain", "review"


class Reason(models.TextChoices):
    """Why a pair was found."""

    SAME_DAY = "same-day", "Same vaccine group on the same day"
    OVERLAP = "overlap", "A combination vaccine and one of its parts on the same day"
    NEAR_DAYS = "near-days", "Same vaccine group a few days apart"
    VAGUE_DATE = "vague-date", "Same vaccine group, and one date names the month only"


@dataclass(frozen=True)
class Dose:
    """A completed dose. `first` and `last` are the days on which it may have been given, one or a month.

    `groups` are the vaccine groups for which it counts. `administered`: told by who gave it, not from a history.
    """

    key: str
    first: date
    last: date
    groups: frozenset[str]
    administered: bool
    unspecified: bool
    has_lot: bool
    entered: datetime


@dataclass(frozen=True)
class Pair:
    """Two doses that may be one (keys in order), why, and the key of the one that counts."""

    first: str
    second: str
    finding: Finding
    reason: Reason
    counts: str


def pairs_among(doses: Iterable[Dose]) -> Iterator[Pair]:
    """Yield the pairs among the doses of one patient."""
    ordered = sorted(doses, key=lambda dose: (dose.first, dose.key))
    for position, one in enumerate(ordered):
        for other in ordered[position + 1 :]:
            if other.first > one.last + NEAR:
                break
            if pair := pair_of(one, other):
                yield pair


def pair_of(one: Dose, other: Dose) -> Pair | None:
    """Compare two doses of one patient; None where they are two."""
    found = _found(one, other)
    if found is None:
        return None
    first, second = sorted([one.key, other.key])
    return Pair(first, second, *found, choose(one, other).key)


def choose(one: Dose, other: Dose) -> Dose:
    """Return the dose that counts.

    Administered before historical, a specific vaccine before an unspecified one, then the one that covers more
    groups, that has a lot number, that was entered first.
    """
    return min(one, other, key=_rank)


def _found(one: Dose, other: Dose) -> tuple[Finding, Reason] | None:
    shared = one.groups & other.groups
    if not shared:
        return None
    apart = max(one.first, other.first) - min(one.last, other.last)
    if one.first < one.last or other.first < other.last:
        return (Finding.REVIEW, Reason.VAGUE_DATE) if apart <= timedelta(0) else None
    if not apart:
        same = one.groups == other.groups
        return (Finding.CERTAIN, Reason.SAME_DAY) if same else (Finding.REVIEW, Reason.OVERLAP)
    if apart <= NEAR and not shared <= SHORT_SERIES:
        return Finding.REVIEW, Reason.NEAR_DAYS
    return None


def _rank(dose: Dose) -> tuple[object, ...]:
    return (
        not dose.administered,
        dose.unspecified,
        -len(dose.groups),
        not dose.has_lot,
        dose.entered,
        dose.key,
    )
