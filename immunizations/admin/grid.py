"""The immunization history as a grid: vaccine groups down, doses by date across. Facts in, grid out."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from immunizations.admin import labels
from immunizations.admin.words import vaccine_name, when
from immunizations.codes.catalog import Catalog
from immunizations.models import Immunization, Status

_AT_ONCE = 8  # columns
ROWS = list(dict.fromkeys(labels.GROUP.values()))


@dataclass(frozen=True)
class State:
    """What became of a dose: its word, the kind that picks its color, and whether it takes a number in the row."""

    word: str
    kind: str
    counts: bool = False


GIVEN = State("Given", "good", counts=True)
HISTORICAL = State("Historical", "calm", counts=True)
REVIEW = State("Review duplicate", "caution", counts=True)
DUPLICATE = State("Duplicate", "plain")
NOT_DONE = State("Not done", "plain")
IN_ERROR = State("Entered in error", "grave")
NO_DOSE = State("Does not count", "caution")


@dataclass(frozen=True)
class Remarks:
    """What the review of duplicates says: ids of doses that wait for it, and of those that another one stands for."""

    waiting: frozenset[str] = frozenset()
    repeated: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Cell:
    """One dose in one row."""

    key: Any
    date: str
    vaccine: str
    full: str
    lot: str
    state: State


@dataclass
class Row:
    """One vaccine group: the doses that count, by date, and the others."""

    group: str
    doses: list[Cell] = field(default_factory=list)
    others: list[Cell] = field(default_factory=list)
    blanks: range = range(0)


@dataclass(frozen=True)
class Grid:
    rows: list[Row]
    columns: range
    has_others: bool

    @property
    def is_wide(self) -> bool:
        """Whether a desk's width does not hold it."""
        return len(self.columns) + self.has_others > _AT_ONCE


def grid_of(doses: Iterable[Immunization], catalog: Catalog, remarks: Remarks) -> Grid:
    """Arrange `doses`; one of a combination vaccine appears in each of its groups."""
    rows: dict[str, Row] = {}
    for dose in sorted(doses, key=_when):
        cell = _cell(dose, catalog, remarks)
        for group in groups_of(dose.cvx, catalog):
            row = rows.setdefault(group, Row(group))
            (row.doses if cell.state.counts else row.others).append(cell)
    widest = max((len(row.doses) for row in rows.values()), default=0)
    for row in rows.values():
        row.blanks = range(widest - len(row.doses))
    ordered = sorted(rows.values(), key=lambda row: _place(row.group))
    return Grid(ordered, range(1, widest + 1), any(row.others for row in ordered))


def groups_of(cvx: str, catalog: Catalog) -> list[str]:
    """The rows in which a vaccine appears."""
    vaccine = catalog.vaccines.get(cvx)
    names = [labels.GROUP.get(group.name, group.name) for group in vaccine.groups] if vaccine else []
    return list(dict.fromkeys(names)) or [labels.OTHER_GROUP]


def state_of(dose: Immunization, remarks: Remarks) -> State:
    """What became of a dose. The first that holds is told: a dose in error is nothing else as well."""
    told = [
        (dose.status == Status.ENTERED_IN_ERROR, IN_ERROR),
        (dose.status == Status.NOT_DONE, NOT_DONE),
        (dose.logical_id in remarks.repeated, DUPLICATE),
        (bool(dose.subpotent), NO_DOSE),
        (dose.logical_id in remarks.waiting, REVIEW),
        (dose.primary_source is False, HISTORICAL),
    ]
    return next((state for holds, state in told if holds), GIVEN)


def _cell(dose: Immunization, catalog: Catalog, remarks: Remarks) -> Cell:
    vaccine = catalog.vaccines.get(dose.cvx)
    full = vaccine.full if vaccine else dose.vaccine_text
    return Cell(dose.pk, when(dose), vaccine_name(dose, catalog), full, dose.lot_number, state_of(dose, remarks))


def _when(dose: Immunization) -> tuple[bool, Any, str]:
    """Doses without a date come last."""
    return dose.occurred_from is None, dose.occurred_from or "", str(dose.pk)


def _place(group: str) -> tuple[int, str]:
    known = ROWS.index(group) if group in ROWS else len(ROWS) + (group == labels.OTHER_GROUP)
    return known, group.casefold()
