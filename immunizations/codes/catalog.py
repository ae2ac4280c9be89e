"""The code tables as screens and the API ask them, made in memory from the rows that hold now."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import TypeVar

from healthrecords.text import fold
from immunizations.codes import ndc as ndcs
from immunizations.codes.formats import Row
from immunizations.codes.models import CodeTable
from immunizations.codes.products import Product, products_from
from immunizations.codes.statements import Statement, statements_from

CVX_SYSTEM = "http://hl7.org/fhir/sid/cvx"
MVX_SYSTEM = "http://hl7.org/fhir/sid/mvx"
NDC_SYSTEM = "http://hl7.org/fhir/sid/ndc"
UNKNOWN_VACCINE = "999"

Value = TypeVar("Value")
Tables = Mapping[CodeTable, Mapping[str, Row]]


@dataclass(frozen=True)
class VaccineGroup:
    """A family of vaccines against the same disease; `cvx` stands for the family where no vaccine is named."""

    name: str
    cvx: str


@dataclass(frozen=True)
class Vaccine:
    """A CVX code. `status` is CDC's (Active, Inactive, Non-US, Never Active), or Retired where it is listed no more."""

    cvx: str
    short: str
    full: str
    status: str
    notes: str
    groups: tuple[VaccineGroup, ...] = ()

    @property
    def is_combination(self) -> bool:
        """Whether it counts for several groups."""
        return len(self.groups) > 1

    @property
    def is_unspecified(self) -> bool:
        """Whether the code says the group only: a record of the same dose with another code says more."""
        words = f"{self.short} {self.full}".casefold().replace("lf unspecified", "")  # the strength of a known vaccine
        return "unspecified" in words or self.cvx == UNKNOWN_VACCINE


@dataclass(frozen=True)
class Manufacturer:
    """An MVX code."""

    mvx: str
    name: str
    status: str
    notes: str


@dataclass(frozen=True)
class Catalog:
    """All that is known, by code."""

    vaccines: dict[str, Vaccine] = field(default_factory=dict)
    manufacturers: dict[str, Manufacturer] = field(default_factory=dict)
    products: dict[str, Product] = field(default_factory=dict)
    trade_names: tuple[Product, ...] = ()
    statements: dict[str, tuple[Statement, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, tables: Tables) -> "Catalog":
        """Make the catalog from the rows of each table."""
        rows = {table: list(tables.get(table, {}).values()) for table in CodeTable}
        vaccines = _vaccines(rows[CodeTable.CVX], rows[CodeTable.GROUP])
        manufacturers = {
            row["mvx"]: Manufacturer(row["mvx"], row["name"], row["status"], row["notes"])
            for row in rows[CodeTable.MVX]
        }
        active = {mvx for mvx, each in manufacturers.items() if each.status == "Active"}
        names = {cvx: f"{each.short}; {each.full}" for cvx, each in vaccines.items()}
        products, trade_names = products_from(rows, names, active)
        return cls(vaccines, manufacturers, products, trade_names, statements_from(rows))

    @cached_property
    def _by_gtin(self) -> dict[str, list[Product]]:
        """By the twelve digits that name the item: the first tells the packaging level, the last checks the others."""
        return _grouped((product.gtin[1:13], product) for product in self.products.values() if product.gtin)

    @cached_property
    def _folded(self) -> list[tuple[str, Product]]:
        used = [product for product in self.products.values() if product.unit == "use"]
        return [(self._words(product), product) for product in (*used, *self.trade_names)]

    def _words(self, product: Product) -> str:
        """What finds a product: its name, also without hyphens (M-M-R), and the short names of its vaccines."""
        vaccines = [self.vaccines[cvx].short for cvx in product.cvx_choices if cvx in self.vaccines]
        return fold(" ".join([product.name, product.name.replace("-", ""), *vaccines]))

    def vaccines_by_text(self, text: str) -> list[Vaccine]:
        """Return the vaccine with the CVX code, or those whose words begin as those of `text`."""
        if text in self.vaccines:
            return [self.vaccines[text]]
        words = fold(text).split()
        named = ((fold(f"{each.short} {each.full}").split(), each) for each in self.vaccines.values())
        return [each for names, each in named if words and _begin(names, words)]

    def products_by_ndc(self, ndc: str) -> list[Product]:
        """Return the products that an NDC of 10 or 11 digits may name; two only where ten digits leave it open."""
        return [self.products[each] for each in ndcs.candidates(ndc) if each in self.products]

    def products_by_gtin(self, gtin: str) -> list[Product]:
        """Return the products that CDC lists with a GTIN-14, whatever its packaging level."""
        return self._by_gtin.get(gtin[1:13], [])

    def products_by_name(self, text: str, limit: int, today: date) -> list[Product]:
        """Return the units of use and trade names whose words begin as those of `text`, what is sold now first."""
        words = fold(text).split()
        found = [(name, product) for name, product in self._folded if words and _begin(name.split(), words)]
        found.sort(key=lambda each: (not each[1].is_sold_on(today), not each[0].startswith(words[0]), *each[1].order))
        return [product for _, product in found[:limit]]


def _vaccines(rows: Iterable[Row], groupings: Iterable[Row]) -> dict[str, Vaccine]:
    groups = _grouped((row["cvx"], VaccineGroup(row["group"], row["group_cvx"])) for row in groupings)
    return {
        row["cvx"]: Vaccine(
            row["cvx"],
            row["short"],
            row["full"],
            row["status"],
            row["notes"],
            tuple(sorted(groups.get(row["cvx"], []), key=lambda group: group.name)),
        )
        for row in rows
    }


def _grouped(pairs: Iterable[tuple[str, Value]]) -> dict[str, list[Value]]:
    found: dict[str, list[Value]] = defaultdict(list)
    for key, value in pairs:
        found[key].append(value)
    return dict(found)


def _begin(words: list[str], beginnings: list[str]) -> bool:
    return all(any(word.startswith(beginning) for word in words) for beginning in beginnings)
