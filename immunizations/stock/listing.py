"""What is on hand, lot by lot, and which lots need somebody's attention."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db import models
from django.db.models import Q
from django.utils import timezone

from healthrecords.directory.models import Location
from immunizations.codes import lookup
from immunizations.stock.models import Lot, LotQuerySet, StockMovement

Place = tuple[str, str, str | None]  # vaccine, funding, location
NEAR = timedelta(days=30)  # before the last day of a lot


class Problem(models.TextChoices):
    """Why a lot is listed, gravest first."""

    RECALLED = "recalled", "Recalled: set aside"
    EXPIRED = "expired", "Expired: take out"
    NEGATIVE = "negative", "Fewer than none: count"
    NEAR_EXPIRY = "near-expiry", "Expires soon"
    LOW = "below-threshold", "Few left"


@dataclass(frozen=True)
class Facts:
    """What of a lot decides whether it is listed. `replaced`: another lot of the vaccine has doses in its place."""

    on_hand: int
    threshold: int = 0
    expires: date | None = None
    recalled: bool = False
    replaced: bool = False


def problems_of(lot: Facts, today: date) -> tuple[Problem, ...]:
    """Return what is wrong with a lot on a day. A vaccine may be given through its last day.

    Few left is said of a lot from which doses may be given, and of one that is used up until another takes its place.
    """
    there, left = lot.on_hand > 0, (lot.expires - today) if lot.expires else None
    ended = left is not None and left < timedelta(0)
    few = 0 <= lot.on_hand < lot.threshold and (there or not lot.replaced)
    found = {
        Problem.RECALLED: there and lot.recalled,
        Problem.EXPIRED: there and ended,
        Problem.NEGATIVE: lot.on_hand < 0,
        Problem.NEAR_EXPIRY: there and left is not None and timedelta(0) <= left <= NEAR,
        Problem.LOW: few and not ended and not lot.recalled,
    }
    return tuple(problem for problem, is_so in found.items() if is_so)


@dataclass(frozen=True)
class LotLine:
    """One lot as lists show it; `on_hand` is in doses."""

    lot: Lot
    on_hand: int
    vaccine: str
    location: str
    problems: tuple[Problem, ...]

    @property
    def is_usable(self) -> bool:
        """Whether a dose may be taken from it."""
        return self.on_hand > 0 and not {Problem.RECALLED, Problem.EXPIRED} & set(self.problems)


def lines(location: str = "", today: date | None = None, used_up: bool = False) -> list[LotLine]:
    """Return the lots of a place (all places if empty), first to expire first.

    Those that are used up are left out, unless there is something to tell of them or `used_up` asks for them.
    """
    lots = Lot.objects.filter(location_id=location) if location else Lot.objects.all()
    made = _lines(lots, today or timezone.localdate())
    return [line for line in made if used_up or line.on_hand or line.problems]


def with_problem(*problems: Problem, location: str = "", today: date | None = None) -> list[LotLine]:
    """Return the lots that have one of these problems; without one named, those that have any."""
    wanted = set(problems or Problem)
    return [line for line in lines(location, today) if wanted & set(line.problems)]


def choices(cvx: str, location: str | None, today: date | None = None) -> list[LotLine]:
    """Return the lots from which a dose of a vaccine may be given at a place, first to expire first."""
    place = Q(location=location) | Q(location=None) if location else Q()
    made = _lines(Lot.objects.filter(place, cvx=cvx), today or timezone.localdate())
    return [line for line in made if line.is_usable]


def line_of(lot: Lot, today: date | None = None) -> LotLine:
    """Return one lot as lists show it."""
    [line] = _lines(Lot.objects.filter(pk=lot.pk), today or timezone.localdate())
    return line


def movements_of(lot: Lot, limit: int = 200) -> list[StockMovement]:
    """Return the newest lines of a lot's ledger, newest first."""
    return list(lot.movements.select_related("other")[:limit])


def _lines(lots: LotQuerySet, today: date) -> list[LotLine]:
    rows = sorted(lots.with_stock(), key=lambda lot: (lot.expires or date.max, lot.lot_number, str(lot.pk)))
    places = _names({lot.location_id for lot in rows if lot.location_id})
    filled = _filled(today)
    return [_line(lot, places.get(lot.location_id, lot.location_id or ""), filled, today) for lot in rows]


def _line(lot: Any, place: str, filled: set[Place], today: date) -> LotLine:
    replaced = (lot.cvx, lot.funding, lot.location_id) in filled
    facts = Facts(lot.on_hand, lot.threshold, lot.expires, lot.recalled_at is not None, replaced)
    return LotLine(lot, lot.on_hand, vaccine_name(lot.cvx), place, problems_of(facts, today))


def _filled(today: date) -> set[Place]:
    """Where there are doses that may be given, by vaccine, funding and place."""
    lots: Any = Lot.objects.with_stock()
    good = lots.filter(Q(expires=None) | Q(expires__gte=today), recalled_at=None, on_hand__gt=0)
    return set(good.order_by().values_list("cvx", "funding", "location_id"))


def vaccine_name(cvx: str) -> str:
    """Return the short name of a vaccine, or its code where no table knows it."""
    found = lookup.vaccine(cvx)
    return found.short if found else f"CVX {cvx}"


def _names(ids: Iterable[str]) -> dict[str | None, str]:
    places: Any = Location.objects.filter(logical_id__in=list(ids))
    return {place.logical_id: str(place) for place in places.only("logical_id", "name")}
