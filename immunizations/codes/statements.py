"""Vaccine information statements: what has to be given to read before a dose (42 U.S.C. 300aa-26)."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from immunizations.codes.formats import Row
from immunizations.codes.models import CodeTable


@dataclass(frozen=True)
class Statement:
    """An edition of a statement. `encoded` is what its barcode holds, `document` the GDTI of all its editions."""

    encoded: str
    document: str
    name: str
    edition: date
    is_current: bool
    pdf: str = ""
    html: str = ""


def statements_from(rows: Mapping[CodeTable, Iterable[Row]]) -> dict[str, tuple[Statement, ...]]:
    """Return the statements of each vaccine by its CVX, current ones first, then the newest edition."""
    addresses = {row["document"]: row for row in rows[CodeTable.VIS_ADDRESS]}
    editions = {row["encoded"]: _statement(row, addresses) for row in rows[CodeTable.VIS]}
    found: dict[str, list[Statement]] = defaultdict(list)
    for row in rows[CodeTable.VIS_OF_VACCINE]:
        if statement := editions.get(row["encoded"]):
            found[row["cvx"]].append(statement)
    order = {
        cvx: sorted(each, key=lambda one: (one.is_current, one.edition), reverse=True) for cvx, each in found.items()
    }
    return {cvx: tuple(each) for cvx, each in order.items()}


def _statement(row: Row, addresses: Mapping[str, Row]) -> Statement:
    """CDC keeps the address of the current edition only."""
    is_current = row["status"] == "Current"
    address = addresses.get(row["document"], {}) if is_current else {}
    return Statement(
        row["encoded"],
        row["document"],
        row["name"],
        date.fromisoformat(row["edition"]),
        is_current,
        address.get("pdf", ""),
        address.get("html", ""),
    )
