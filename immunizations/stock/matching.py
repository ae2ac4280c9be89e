"""From which lot a dose came, and whether a record of a dose speaks of a lot: facts in, decision out."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from healthrecords.text import fold

_SIGNS = re.compile("[^a-z0-9]")
Likeness = Literal["certain", "possible", "other"]


def lot_code(lot_number: str) -> str:
    """Return a lot number as it is compared: letters and digits alone, since people write `AB-12 x` and `ab12X`."""
    return _SIGNS.sub("", fold(lot_number))


@dataclass(frozen=True)
class Dose:
    """What the stock needs to know of an immunization.

    `given_here`: it is completed, told by who gave it, there still, and came by no import. `moment` is when it was
    entered, or the day after it was given where that is earlier.
    """

    given_here: bool
    code: str
    cvx: str
    mvx: str
    location: str | None
    funding: str
    moment: datetime


@dataclass(frozen=True)
class Shelf:
    """What is known of the doses of one lot at one place since it was entered (`since`)."""

    key: UUID
    code: str
    cvx: str
    mvx: str
    location: str | None
    funding: str
    since: datetime


def shelf_for(dose: Dose, shelves: Iterable[Shelf], held: UUID | None = None) -> UUID | None:
    """Return the shelf that a dose takes one from; None where it takes none, or where it is not certain which.

    The lot number, the vaccine and (where both are known) the manufacturer must agree. A dose that names its place
    takes from there, or from a lot that is at no named place; one without a place needs the only lot there is. Where
    both public and private doses are there, the funding decides. A lot that was entered after the dose is left alone:
    what was received or counted then speaks of what was left. `held`, which the dose took from before, stays good
    as long as it agrees.
    """
    if not dose.given_here:
        return None
    fitting = [each for each in shelves if _agrees(dose, each) and (each.key == held or each.since <= dose.moment)]
    there = _at(dose.location, fitting)
    funded = [each for each in there if each.funding == dose.funding] or there
    keys = [each.key for each in funded]
    if held in keys:
        return held
    return keys[0] if len(keys) == 1 else None


def likeness(lot: tuple[str, str], dose: tuple[str, str], same_group: bool) -> Likeness:
    """Say whether a dose with the lot's number is of that lot, by vaccine and manufacturer (CVX, MVX; may be empty).

    `certain`: the same vaccine, no other manufacturer. `other`: another vaccine, and not known to be of the same
    manufacturer: numbers repeat among them. Else `possible`: somebody should look. `same_group` tells that two
    different vaccines are of one group.
    """
    vaccine, maker = _compared(lot[0], dose[0]), _compared(lot[1], dose[1])
    if vaccine and maker is not False:
        return "certain"
    if vaccine is False and not same_group and not maker:
        return "other"
    return "possible"


def _agrees(dose: Dose, shelf: Shelf) -> bool:
    same = bool(dose.code) and (dose.code, dose.cvx) == (shelf.code, shelf.cvx)
    return same and _compared(dose.mvx, shelf.mvx) is not False


def _compared(one: str, other: str) -> bool | None:
    """Whether two codes are the same; None where one is not known."""
    return one == other if one and other else None


def _at(location: str | None, shelves: Sequence[Shelf]) -> Sequence[Shelf]:
    if location is None:
        return shelves
    return [each for each in shelves if each.location == location] or [e for e in shelves if e.location is None]
