"""The stock follows what is recorded of doses, inside the transaction that writes them.

A dose that is given takes one from its lot; one that turns out not to have been given here gives it back, once. The
ledger itself says what a dose has taken, so that writing the same dose again changes nothing. A dose takes its unit
even where the count says that there is none: it was given, and the lot is listed as one to be counted.

Doses share the lock of their lot, so that they need not wait for each other, while a count, a loss or a transfer,
which must know what is on hand, waits until the dose is there or its transaction has failed.
"""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import connection
from django.db.models import Sum

from healthrecords import bulk
from immunizations.codes import lookup
from immunizations.stock.matching import Dose, Shelf, lot_code, shelf_for
from immunizations.stock.models import Kind, Lot, StockMovement

if TYPE_CHECKING:
    from immunizations.models import Immunization

_A_DAY = timedelta(days=1)


def follow(records: Sequence["Immunization"]) -> None:
    """Bring the ledger up to date with these immunizations, as a write or deletion left them."""
    concerned = [record for record in records if not _is_imported(record)]
    doses = [(record, dose_of(record)) for record in concerned]
    held = _held(record for record in concerned if record.version > 1)
    shelves = _shelves({dose.code for _, dose in doses if dose.given_here})
    moves = [move for record, dose in doses for move in _moves(record, held.get(record.logical_id), dose, shelves)]
    if moves:
        _share({move.lot_id for move in moves})
        bulk.insert(StockMovement, sorted(moves, key=lambda move: move.lot_id))


def dose_of(record: "Immunization") -> Dose:
    """What the stock needs to know of an immunization."""
    given = record.status == "completed" and record.primary_source is True and record.deleted_at is None
    moment = record.created_at
    if record.occurred_until and record.occurred_until < moment - _A_DAY:
        moment = record.occurred_until + _A_DAY
    return Dose(
        given and not _is_imported(record),
        lot_code(record.lot_number),
        vaccine_of(record.cvx, record.ndc),
        record.mvx,
        record.location_id,
        record.funding_source,
        moment,
    )


def vaccine_of(cvx: str, ndc: str) -> str:
    """Return the CVX code, or that of the product where only its NDC is given."""
    if cvx or not ndc:
        return cvx
    product = lookup.product_by_ndc(ndc)
    return product.cvx if product else ""


def shelf_of(lot: Lot) -> Shelf:
    """What matching needs to know of a lot."""
    return Shelf(lot.pk, lot.code, lot.cvx, lot.mvx, lot.location_id, lot.funding, lot.created_at)


def _is_imported(record: "Immunization") -> bool:
    """Records of other sources tell of doses that were never on a shelf here."""
    return record.source.startswith("import:")


def _held(records: Iterable["Immunization"]) -> dict[str, UUID]:
    """The lot from which each dose has taken one and not given it back."""
    ids = [record.logical_id for record in records]
    if not ids:
        return {}
    sums = StockMovement.objects.filter(dose__in=ids).order_by().values("dose", "lot").annotate(net=Sum("quantity"))
    return dict(sums.filter(net__lt=0).values_list("dose", "lot"))


def _shelves(codes: set[str]) -> list[Shelf]:
    wanted = codes - {""}
    return [shelf_of(lot) for lot in Lot.objects.filter(code__in=wanted)] if wanted else []


def _share(lots: set[UUID]) -> None:
    """Hold the lots against those who lock them to change them; the foreign key's own check comes at the end only."""
    table = connection.ops.quote_name(Lot._meta.db_table)
    statement = f"SELECT FROM {table} WHERE uuid = ANY(%s) ORDER BY uuid FOR KEY SHARE"  # nosec B608
    with connection.cursor() as cursor:
        cursor.execute(statement, [list(lots)])


def _moves(record: "Immunization", held: UUID | None, dose: Dose, shelves: Sequence[Shelf]) -> list[StockMovement]:
    """What is to be added to the ledger for one dose: one given back, one taken, both or nothing."""
    wanted = shelf_for(dose, shelves, held)
    if wanted == held:
        return []
    back = [_move(record, Kind.RETURNED, 1, held)] if held else []
    return [*back, *([_move(record, Kind.USED, -1, wanted)] if wanted else [])]


def _move(record: Any, kind: Kind, quantity: int, lot: UUID) -> StockMovement:
    return StockMovement(
        lot_id=lot,
        kind=kind,
        quantity=quantity,
        dose=record.logical_id,
        dose_version=record.version,
        author=record.current.author,
    )
