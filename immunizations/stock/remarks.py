"""What is worth knowing about the lot of a dose: that it was recalled, or had expired when it was given."""

from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING, Any

from healthrecords.fhir.outcome import Issue
from healthrecords.fhir.primitives import day_span
from immunizations.stock.following import vaccine_of
from immunizations.stock.matching import likeness, lot_code
from immunizations.stock.models import Lot

if TYPE_CHECKING:
    from immunizations.models import Immunization


def warnings_of(record: "Immunization") -> list[str]:
    """Return sentences for whoever records the dose. The record stands all the same: what was given was given."""
    if record.status != "completed" or not record.lot_number:
        return []
    return list(dict.fromkeys(_warnings(record)))


def remark(record: Any) -> Iterator[Issue]:
    """The same for a program, as issues that inform."""
    for sentence in warnings_of(record):
        yield Issue("business-rule", sentence, "Immunization.lotNumber", severity="information")


def _warnings(record: "Immunization") -> Iterator[str]:
    given = _first_day(record.occurred)
    if record.expires and given and given > day_span(record.expires)[1]:
        yield f"Lot {record.lot_number} had expired when it was given (its last day was {record.expires})."
    for lot in _lots_of(record):
        if lot.recalled_at:
            yield f"Lot {lot.lot_number} was recalled on {lot.recalled_at:%Y-%m-%d}: {lot.recall_reason}"
        if lot.expires and given and given > lot.expires and not record.expires:
            yield f"Lot {lot.lot_number} had expired when it was given (its last day was {lot.expires})."


def _lots_of(record: "Immunization") -> Iterator[Lot]:
    dose = (vaccine_of(record.cvx, record.ndc), record.mvx)
    for lot in Lot.objects.filter(code=lot_code(record.lot_number)):
        if lot.code and likeness((lot.cvx, lot.mvx), dose, same_group=False) == "certain":
            yield lot


def _first_day(occurred: str) -> date | None:
    return day_span(occurred)[0] if occurred else None
