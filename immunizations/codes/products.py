"""Products by NDC: what is on the shelf, with the vaccine, the manufacturer and the dose that follow from it."""

import re
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Literal

from healthrecords.text import fold
from immunizations.codes.formats import Row
from immunizations.codes.models import CodeTable

# The largest volume of one dose that a vial names which does not say how many doses it holds.
_SINGLE_DOSE = Decimal(1)
_PER_DOSE = re.compile(r"mcg\s*/\s*(\d*\.?\d+)\s*ml", re.IGNORECASE)
_VOLUME = re.compile(r"(\d*\.?\d+)\s*ml", re.IGNORECASE)


@dataclass(frozen=True)
class Product:
    """A unit of use (a syringe, a vial), a unit of sale (a carton), or a trade name that has no NDC here.

    `ndc` has 11 digits with hyphens. `cvx` is empty where one NDC stands for several vaccines: a person chooses
    among `cvx_choices`. `mvx` is empty where CDC names none. `dose` is in mL, None where it is not known, and
    stated by CDC or else usual for the vaccine.
    """

    name: str
    generic: str
    unit: Literal["use", "sale", "name"]
    cvx_choices: tuple[str, ...]
    mvx: str = ""
    ndc: str = ""
    labeler: str = ""
    form: str = ""
    route: str = ""
    dose: Decimal | None = None
    dose_is_stated: bool = False
    gtin: str = ""
    starts: date | None = None
    ends: date | None = None
    status: str = ""

    @property
    def cvx(self) -> str:
        """The vaccine, where it is certain."""
        return self.cvx_choices[0] if len(self.cvx_choices) == 1 else ""

    @property
    def order(self) -> tuple[bool, str, str]:
        """What lists sort by: names that lead to no NDC come last."""
        return self.unit == "name", fold(self.name), self.ndc

    def is_sold_on(self, today: date) -> bool:
        """Whether CDC lists it, and not as something that ended before `today`."""
        return self.status in {"", "Active"} and not (self.ends and self.ends < today)


@dataclass(frozen=True)
class _Links:
    """Which unit of use is inside which unit of sale, and who makes it."""

    uses: dict[str, list[Row]]
    sales: dict[str, list[Row]]
    active: set[str]

    def of(self, unit: Row, kind: str) -> list[Row]:
        return (self.uses if kind == "use" else self.sales).get(unit["unit"], [])

    def mvx(self, unit: Row, kind: str, labelers: Mapping[str, str]) -> str:
        """Return the manufacturer: CDC gives some units twice, so of the same labeler, still active, linked last."""
        found = self.of(unit, kind)
        other = "sale" if kind == "use" else "use"
        same = [link for link in found if labelers.get(f"{other} {link[other]}") == unit["labeler"]] or found
        best = max(same, key=lambda link: (link["mvx"] in self.active, int(link["link"])), default=None)
        return best["mvx"] if best else ""


def products_from(
    rows: Mapping[CodeTable, Iterable[Row]], vaccines: Mapping[str, str], active: set[str]
) -> tuple[dict[str, Product], tuple[Product, ...]]:
    """Return the products by NDC, and the trade names that no unit of use covers.

    `vaccines` has the words of each CVX, `active` the MVX of the manufacturers that still exist.
    """
    uses, sales = list(rows[CodeTable.UNIT_OF_USE]), list(rows[CodeTable.UNIT_OF_SALE])
    links = _links(rows[CodeTable.UNIT_LINK], active)
    labelers = {f"use {row['unit']}": row["labeler"] for row in uses}
    labelers |= {f"sale {row['unit']}": row["labeler"] for row in sales}
    routes = {row["unit"]: row["route"] for row in sales}
    doses = {row["unit"]: _stated_dose(row, vaccines) for row in uses}
    found: dict[str, Product] = {}
    for ndc, same in _by_ndc(sales).items():
        inside = {doses[link["use"]] for link in links.of(same[0], "sale") if link["use"] in doses}
        dose = inside.pop() if len(inside) == 1 else None
        found[ndc] = _product(same, "sale", links.mvx(same[0], "sale", labelers), dose, same[0]["route"])
    for ndc, same in _by_ndc(uses).items():
        around = [routes.get(link["sale"], "") for link in links.of(same[0], "use")]
        route = next(filter(None, around), "")
        found[ndc] = _product(same, "use", links.mvx(same[0], "use", labelers), doses[same[0]["unit"]], route)
    return found, tuple(_names_alone(rows[CodeTable.TRADE_NAME], found.values()))


def _links(rows: Iterable[Row], active: set[str]) -> _Links:
    uses: dict[str, list[Row]] = defaultdict(list)
    sales: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        uses[row["use"]].append(row)
        sales[row["sale"]].append(row)
    return _Links(uses, sales, active)


def _by_ndc(rows: Iterable[Row]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        found[row["ndc"]].append(row)
    return found


def _product(same: list[Row], unit: Literal["use", "sale"], mvx: str, dose: Decimal | None, route: str) -> Product:
    """Make the product of the rows that have one NDC; they differ in the vaccine only."""
    row = same[0]
    choices = tuple(sorted({each["cvx"] for each in same}))
    return Product(
        row["name"],
        row["generic"],
        unit,
        choices,
        mvx,
        row["ndc"],
        row["labeler_name"],
        row["form"],
        route,
        dose or _usual_dose(choices),
        dose is not None,
        row["gtin"].rjust(14, "0") if row["gtin"] else "",
        _day(row["start"]),
        _day(row["end"]),
        row.get("status", ""),
    )


def _names_alone(rows: Iterable[Row], products: Iterable[Product]) -> Iterable[Product]:
    covered = {
        (fold(product.name), cvx) for product in products for cvx in product.cvx_choices if product.unit == "use"
    }
    for row in rows:
        if (fold(row["name"]), row["cvx"]) not in covered:
            usual, choices = _usual_dose([row["cvx"]]), (row["cvx"],)
            yield Product(row["name"], row["short"], "name", choices, row["mvx"], dose=usual, status=row["status"])


def _stated_dose(row: Row, vaccines: Mapping[str, str]) -> Decimal | None:
    """Return the volume of one dose in mL, from the form of the unit or else from the words of the vaccine.

    The volume of a multi-dose vial is not a dose.
    """
    form = row["form"]
    if found := _PER_DOSE.search(form) or _PER_DOSE.search(vaccines.get(row["cvx"], "")):
        return Decimal(found[1]).normalize()
    if "multi" in form.casefold() or not (found := _VOLUME.search(form)):
        return None
    volume = Decimal(found[1]).normalize()
    is_open = "vial" in form.casefold() and "single" not in form.casefold()
    return None if is_open and volume > _SINGLE_DOSE else volume


def _usual_dose(choices: Iterable[str]) -> Decimal | None:
    """Return the volume that is usual for the vaccine, if all that it may be have the same."""
    doses = {_usual_doses().get(cvx) for cvx in choices}
    return doses.pop() if len(doses) == 1 else None


@cache
def _usual_doses() -> dict[str, Decimal]:
    table = tomllib.loads((files("immunizations.codes") / "data" / "usual_doses.toml").read_text())
    return {cvx: Decimal(volume) for volume, vaccines in table.items() for cvx in vaccines}


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None
