"""Ask the code tables: what a vaccine, manufacturer or product is. The tables are read once and again when they change.

vaccine("140").short, groups_of("110"), product_by_ndc("49281-425-88"), products_by_name("fluz")
"""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from threading import Lock
from time import monotonic

from django.db.models import Max

from immunizations.codes.catalog import Catalog, Manufacturer, Vaccine, VaccineGroup
from immunizations.codes.formats import Row
from immunizations.codes.models import CodeRelease, CodeRow, CodeTable
from immunizations.codes.products import Product
from immunizations.codes.statements import Statement

RETIRED = "Retired"
_RECHECK = 60.0  # seconds until a process asks whether another one has loaded newer tables
_HOLDS_CODES = {
    CodeTable.CVX,
    CodeTable.MVX,
    CodeTable.TRADE_NAME,
    CodeTable.UNIT_OF_USE,
    CodeTable.UNIT_OF_SALE,
    CodeTable.VIS,
}


@dataclass
class _Kept:
    catalog: Catalog
    release: int | None
    checked: float


_kept: _Kept | None = None
_lock = Lock()


def current() -> Catalog:
    """Return the tables as they are now, or at most a minute ago where another process loaded newer ones."""
    global _kept  # noqa: PLW0603 - one catalog for the process
    kept = _kept
    if kept and monotonic() - kept.checked < _RECHECK:
        return kept.catalog
    with _lock:
        release = CodeRelease.objects.aggregate(newest=Max("pk"))["newest"]
        catalog = kept.catalog if kept and kept.release == release else Catalog.of(_rows())
        _kept = _Kept(catalog, release, monotonic())
    return catalog


def forget() -> None:
    """Read the tables anew at the next question: they were changed."""
    global _kept  # noqa: PLW0603 - one catalog for the process
    _kept = None


def is_known(cvx: str) -> bool:
    """Whether CDC has, or ever had, the CVX code."""
    return cvx in current().vaccines


def may_exist(cvx: str) -> bool:
    """The same, but true as well while no table is loaded: what is doubtful is no fault of the sender."""
    vaccines = current().vaccines
    return not vaccines or cvx in vaccines


def vaccine(cvx: str) -> Vaccine | None:
    """Return a vaccine by its CVX code, also one that is inactive or retired."""
    return current().vaccines.get(cvx)


def manufacturer(mvx: str) -> Manufacturer | None:
    """Return a manufacturer by its MVX code."""
    return current().manufacturers.get(mvx)


def groups_of(cvx: str) -> tuple[VaccineGroup, ...]:
    """Return the groups for which a vaccine counts: several for a combination, none where CDC gives none."""
    found = vaccine(cvx)
    return found.groups if found else ()


def product_by_ndc(ndc: str) -> Product | None:
    """Return the product of an NDC with 10 or 11 digits, of use or of sale; None also where ten leave it open."""
    found = current().products_by_ndc(ndc)
    return found[0] if len(found) == 1 else None


def products_by_name(text: str, limit: int = 20, today: date | None = None) -> list[Product]:
    """Return what a pick list of trade names offers for the beginnings of words typed, what is sold now first."""
    return current().products_by_name(text, limit, today or date.today())  # noqa: DTZ011 - a day, not an instant


def statements_of(cvx: str) -> tuple[Statement, ...]:
    """Return the information statements of a vaccine, current ones first."""
    return current().statements.get(cvx, ())


def _rows() -> dict[CodeTable, dict[str, Row]]:
    found: dict[CodeTable, dict[str, Row]] = defaultdict(dict)
    for table, key, fields, retired in CodeRow.objects.filter(until=None).values_list(
        "table", "key", "fields", "retired"
    ):
        if not retired:
            found[CodeTable(table)][key] = fields
        elif table in _HOLDS_CODES:  # what links codes is gone with its row
            found[CodeTable(table)][key] = fields | {"status": RETIRED}
    return found
