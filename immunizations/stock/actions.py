"""What people do with the stock. Each leaves a line in the ledger (or a mark on the lot) and a row in the trail.

The caller has asked the access policy (subject `Stock`). All raise ValidationError with a sentence where something
cannot be, and leave nothing then.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from healthrecords import trail
from healthrecords.access.request import AccessRequest
from healthrecords.directory.models import Location
from immunizations.codes import lookup
from immunizations.stock.matching import lot_code
from immunizations.stock.models import Funding, Kind, Lot, StockMovement

SUBJECT = "Stock"  # what the access policy is asked about
MOST = 100_000  # doses of one movement
_MARK = ("recalled_at", "recall_reason", "recalled_by")


class NoSuchLot(ValidationError):
    """No lot in stock has that name."""


@dataclass(frozen=True)
class Delivery:
    """Doses that came in. Of vaccine (CVX) and product (NDC) one is enough; the tables fill in the rest."""

    lot_number: str
    quantity: int
    cvx: str = ""
    ndc: str = ""
    mvx: str = ""
    expires: date | None = None
    funding: str = Funding.PRIVATE
    location: str = ""
    threshold: int | None = None


@dataclass(frozen=True)
class Change:
    """A line of the ledger, with the lot and what is now on hand."""

    lot: Lot
    movement: StockMovement
    on_hand: int


def receive(delivery: Delivery, by: AccessRequest) -> Change:
    """Enter doses that came in; the first delivery of a lot makes it."""
    _check_quantity(delivery.quantity)
    with transaction.atomic():
        lot = _lot_of(delivery)
        return _moved(lot, Kind.RECEIVED, delivery.quantity, by)


def waste(lot: Lot, quantity: int, reason: str, by: AccessRequest) -> Change:
    """Enter doses that were lost: broken, left warm, drawn up and not given."""
    return _take(lot, Kind.WASTED, quantity, by, _reason(reason))


def expire(lot: Lot, by: AccessRequest, today: date | None = None) -> Change:
    """Take out what is left of a lot whose last day is over."""
    if lot.expires is None or lot.expires >= (today or timezone.localdate()):
        raise ValidationError(f"The {lot} has not expired; enter lost doses as wasted.")
    with transaction.atomic():
        return _take(lot, Kind.EXPIRED, _on_hand(_locked(lot)[0]), by)


def count(lot: Lot, found: int, by: AccessRequest, reason: str = "") -> Change:
    """Enter what is really on the shelf; the ledger gets the difference."""
    if not 0 <= found <= MOST:
        raise ValidationError(f"Count 0 to {MOST} doses, not {found}.")
    with transaction.atomic():
        [locked] = _locked(lot)
        return _moved(locked, Kind.COUNTED, found - _on_hand(locked), by, reason=reason.strip(), counted=found)


def transfer(lot: Lot, quantity: int, location: str, by: AccessRequest) -> Change:
    """Move doses to another place; returns what is left at the old one."""
    _check_quantity(quantity)
    with transaction.atomic():
        there = _lot_at(lot, _place(location))
        if there.pk == lot.pk:
            raise ValidationError(f"The {lot} is at that place already.")
        here, there = _locked(lot, _as_recalled(there))
        _check_enough(here, quantity)
        _moved(there, Kind.TRANSFERRED, quantity, by, other=here)
        return _moved(here, Kind.TRANSFERRED, -quantity, by, other=there)


def set_threshold(lot: Lot, threshold: int, by: AccessRequest) -> Lot:
    """Set the number of doses below which a lot is listed."""
    if not 0 <= threshold <= MOST:
        raise ValidationError(f"A threshold is 0 to {MOST} doses, not {threshold}.")
    with transaction.atomic():
        [locked] = _locked(lot)
        locked.threshold = threshold
        locked.save(update_fields=["threshold"])
        _record([locked], "update", f"listed below {threshold}", by)
    return locked


def recall(lot: Lot, reason: str, by: AccessRequest) -> list[Lot]:
    """Mark a lot as recalled at all places; return the rows that were not marked before."""
    reason = _reason(reason)
    with transaction.atomic():
        fresh = [each for each in _all_locked(lot) if each.recalled_at is None]
        for each in fresh:
            each.recalled_at, each.recall_reason, each.recalled_by = timezone.now(), reason, by.actor.name
            each.save(update_fields=_MARK)
        _record(fresh, "update", f"recalled: {reason}", by)
    return fresh


def undo_recall(lot: Lot, by: AccessRequest) -> list[Lot]:
    """Take the mark of a recall back at all places; return the rows that had it. The trail keeps both."""
    with transaction.atomic():
        marked = [each for each in _all_locked(lot) if each.recalled_at]
        for each in marked:
            each.recalled_at, each.recall_reason, each.recalled_by = None, "", ""
            each.save(update_fields=_MARK)
        _record(marked, "update", "recall taken back", by)
    return marked


def find(name: str, cvx: str = "", location: str = "") -> list[Lot]:
    """Return the lots of a number (or the one of a key), narrowed by vaccine and place; raise where there is none."""
    lots = Lot.objects.filter(pk=name) if _is_key(name) else Lot.objects.filter(code=lot_code(name)).exclude(code="")
    narrowed = lots.filter(**({"cvx": cvx} if cvx else {}), **({"location": location} if location else {}))
    if found := list(narrowed):
        return found
    raise NoSuchLot(f"There is no lot {name} here; stock list shows those that there are.")


def find_one(name: str, cvx: str = "", location: str = "") -> Lot:
    """Return the one lot that is meant; raise ValidationError where several could be."""
    found = find(name, cvx, location)
    if len(found) > 1:
        keys = ", ".join(f"{each.pk} ({each}, {each.funding}, {each.location_id or 'no place'})" for each in found)
        raise ValidationError(f"Several lots are called {name}; name one by its key: {keys}.")
    return found[0]


def find_product(name: str, cvx: str = "") -> Lot:
    """Return a lot that stands for its number at all places; raise where the number is of several products."""
    found = find(name, cvx)
    vaccines, makers = ({getattr(each, column) for each in found} - {""} for column in ("cvx", "mvx"))
    if len(vaccines) > 1 or len(makers) > 1:
        told = ", ".join(sorted({f"CVX {each.cvx} {each.mvx}".strip() for each in found}))
        raise ValidationError(f"Several products have a lot {name} ({told}); name the lot by its key.")
    return found[0]


def _lot_of(delivery: Delivery) -> Lot:
    """The lot that a delivery adds to, made where it is the first of it."""
    if not lot_code(delivery.lot_number) or len(delivery.lot_number) > 40:
        raise ValidationError("A lot number has letters or digits, at most 40 characters.")
    cvx, mvx, product = _product(delivery)
    if delivery.funding not in Funding.values:
        raise ValidationError(f"The funding is {' or '.join(Funding.values)}, not {delivery.funding}.")
    lot, made = Lot.objects.get_or_create(
        code=lot_code(delivery.lot_number),
        cvx=cvx,
        funding=delivery.funding,
        location_id=_place(delivery.location),
        defaults={
            "lot_number": delivery.lot_number.strip(),
            "mvx": mvx,
            "ndc": delivery.ndc,
            "product": product,
            "expires": delivery.expires,
            "threshold": delivery.threshold or 0,
        },
    )
    return _as_recalled(lot) if made else _brought_up_to_date(lot, delivery, mvx)


def _brought_up_to_date(lot: Lot, delivery: Delivery, mvx: str) -> Lot:
    """A later delivery may add what was not known of the lot; it may not contradict it."""
    [lot] = _locked(lot)
    if mvx and lot.mvx and mvx != lot.mvx:
        raise ValidationError(f"The {lot} is of {lot.mvx}, not of {mvx}; look at the box.")
    if delivery.expires and lot.expires and delivery.expires != lot.expires:
        raise ValidationError(f"The {lot} expires on {lot.expires}, not on {delivery.expires}; look at the box.")
    lot.expires, lot.mvx = lot.expires or delivery.expires, lot.mvx or mvx
    lot.threshold = lot.threshold if delivery.threshold is None else delivery.threshold
    lot.save(update_fields=["expires", "mvx", "threshold"])
    return lot


def _product(delivery: Delivery) -> tuple[str, str, str]:
    """Vaccine, manufacturer and trade name of a delivery, completed from the code tables."""
    product = lookup.product_by_ndc(delivery.ndc) if delivery.ndc else None
    if delivery.ndc and not product:
        raise ValidationError(f"NDC {delivery.ndc} is in no code table here; give the vaccine by --cvx instead.")
    cvx = delivery.cvx or (product.cvx if product else "")
    if not cvx:
        raise ValidationError("Name the vaccine by its CVX code, or the product by its NDC.")
    if not lookup.is_known(cvx):
        raise ValidationError(f"{cvx} is no CVX code; codes search finds it by name.")
    if product and cvx not in product.cvx_choices:
        raise ValidationError(f"NDC {delivery.ndc} is {product.name}, which is not CVX {cvx}.")
    mvx = delivery.mvx or (product.mvx if product else "")
    if mvx and not lookup.manufacturer(mvx):
        raise ValidationError(f"{mvx} is no MVX code; codes search finds the manufacturer by a product's name.")
    return cvx, mvx, product.name if product else ""


def _place(location: str) -> Any:
    """The logical id of a location, or none; raise where no location has it."""
    if location and not Location.objects.live().filter(logical_id=location).exists():
        raise ValidationError(f"There is no location {location} here.")
    return location or None


def _lot_at(lot: Lot, location: Any) -> Lot:
    """The same lot at another place, made where it is the first of it there."""
    copied = ("lot_number", "mvx", "ndc", "product", "expires")
    there, _ = Lot.objects.get_or_create(
        code=lot.code,
        cvx=lot.cvx,
        funding=lot.funding,
        location_id=location,
        defaults={name: getattr(lot, name) for name in copied},
    )
    return there


def _everywhere(lot: Lot) -> "QuerySet[Lot]":
    """The rows of a lot at all places, of either funding, also where its manufacturer was not entered."""
    rows = Lot.objects.filter(code=lot.code, cvx=lot.cvx)
    return rows.filter(mvx__in=["", lot.mvx]) if lot.mvx else rows


def _all_locked(lot: Lot) -> list[Lot]:
    """The rows of a lot at all places, locked; looked up again once the locks are held, to see one just made."""
    _locked(*_everywhere(lot))
    return _locked(*_everywhere(lot))


def _as_recalled(lot: Lot) -> Lot:
    """A new row of a lot that is recalled elsewhere is recalled as well."""
    if marked := _everywhere(lot).exclude(recalled_at=None).first():
        for name in _MARK:
            setattr(lot, name, getattr(marked, name))
        lot.save(update_fields=_MARK)
    return lot


def _take(lot: Lot, kind: Kind, quantity: int, by: AccessRequest, reason: str = "") -> Change:
    _check_quantity(quantity)
    with transaction.atomic():
        [locked] = _locked(lot)
        _check_enough(locked, quantity)
        return _moved(locked, kind, -quantity, by, reason=reason)


def _locked(*lots: Lot) -> list[Lot]:
    """The lots as they are now, in the order given, locked in the order of their keys."""
    rows = Lot.objects.select_for_update().filter(pk__in=[lot.pk for lot in lots]).order_by("pk")
    found = {row.pk: row for row in rows}
    return [found[lot.pk] for lot in lots]


def _on_hand(lot: Lot) -> int:
    return Lot.objects.with_stock().get(pk=lot.pk).on_hand  # type: ignore[attr-defined]


def _moved(lot: Lot, kind: Kind, quantity: int, by: AccessRequest, **more: object) -> Change:
    movement = StockMovement(lot=lot, kind=kind, quantity=quantity, author=by.actor.source, **more)
    movement.save(force_insert=True)
    words = f"{kind} {quantity:+d}" + (f": {movement.reason}" if movement.reason else "")
    _record([lot], "create", words, by)
    return Change(lot, movement, _on_hand(lot))


def _record(lots: Sequence[Lot], action: str, words: str, by: AccessRequest) -> None:
    facts = [
        trail.Fact(action, resources=(f"Lot/{lot.pk}",), versions=(0,), detail=f"lot {lot.lot_number}: {words}")
        for lot in lots
    ]
    if facts:
        trail.record(by.to(action, SUBJECT), facts)


def _check_quantity(quantity: int) -> None:
    if not 1 <= quantity <= MOST:
        raise ValidationError(f"A number of doses is 1 to {MOST}, not {quantity}.")


def _check_enough(lot: Lot, quantity: int) -> None:
    if (there := _on_hand(lot)) < quantity:
        raise ValidationError(f"There are {there} doses of the {lot}, not {quantity}; count it first.")


def _reason(text: str) -> str:
    if not text.strip() or len(text) > 500:
        raise ValidationError("Give a reason of at most 500 characters.")
    return text.strip()


def _is_key(text: str) -> bool:
    try:
        return str(UUID(text)) == text.lower()
    except ValueError:
        return False
