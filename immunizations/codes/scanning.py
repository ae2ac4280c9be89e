"""From a barcode to what is recorded: vaccine, manufacturer, product, dose, lot and expiry."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from immunizations.codes import gs1, lookup
from immunizations.codes.catalog import Catalog
from immunizations.codes.ndc import candidates
from immunizations.codes.products import Product


@dataclass(frozen=True)
class Scan:
    """What a barcode says and what follows from it; `problems` are sentences for whoever scanned it.

    Values are kept where a problem is told: `cvx` is empty where it is not certain, `dose` (mL) None where it is not
    known. With a wrong check digit no product is looked up.
    """

    gtin: str = ""
    ndc: str = ""
    lot: str = ""
    serial: str = ""
    expiry: date | None = None
    produced: date | None = None
    cvx: str = ""
    cvx_choices: tuple[str, ...] = ()
    mvx: str = ""
    dose: Decimal | None = None
    product: Product | None = None
    problems: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether there is nothing to tell."""
        return not self.problems


def scan(text: str, today: date) -> Scan:
    """Read a barcode as a reader types it, on the day `today`. Never raises for what was typed: see `problems`."""
    try:
        label = gs1.read(text, today)
    except gs1.BarcodeError as fault:
        return Scan(problems=(str(fault),))
    problems = [*label.problems, *_told_of_dates(label, today)]
    found: list[Product] = []
    if not label.problems:
        found = _products(label, lookup.current())
        problems += _told_of_products(label, found)
    product = found[0] if len(found) == 1 else None
    return Scan(
        label.gtin,
        product.ndc if product else "",
        label.lot,
        label.serial,
        label.expiry,
        label.produced,
        product.cvx if product else "",
        product.cvx_choices if product else (),
        product.mvx if product else "",
        product.dose if product else None,
        product,
        tuple(problems),
    )


def _products(label: gs1.Label, catalog: Catalog) -> list[Product]:
    """An NDC that the barcode states, else the GTIN as CDC lists it, else the NDC inside the GTIN."""
    if label.ndc:
        return catalog.products_by_ndc(label.ndc)
    if listed := catalog.products_by_gtin(label.gtin) if label.gtin else []:
        return listed
    return catalog.products_by_ndc(gs1.ndc_of(label.gtin))


def _told_of_dates(label: gs1.Label, today: date) -> list[str]:
    """A vaccine may be given through its last day."""
    if label.expiry is None or label.expiry >= today:
        return []
    lot = f"Lot {label.lot}" if label.lot else "This lot"
    return [f"{lot} expired on {label.expiry}; do not give it."]


def _told_of_products(label: gs1.Label, found: list[Product]) -> list[str]:
    if not (label.gtin or label.ndc):
        return ["The barcode names no product; choose the vaccine by its trade name."]
    if len(found) > 1:
        return [f"NDC {label.ndc or gs1.ndc_of(label.gtin)} may be {_listed(found)}; choose the product."]
    if not found:
        return [_unknown(label)]
    if not found[0].cvx:
        return [f"{found[0].name} may be CVX {' or '.join(found[0].cvx_choices)}; choose the vaccine."]
    return []


def _unknown(label: gs1.Label) -> str:
    """Why no product follows from the barcode."""
    code = label.ndc or gs1.ndc_of(label.gtin)
    if not code:
        return f"GTIN {label.gtin} is not of a US drug, so that it names no NDC; choose the vaccine by its trade name."
    if label.ndc and not candidates(code):
        return f"{code} is no NDC; scan it again."
    return f"NDC {code} is in no code table here; choose the vaccine by its trade name, or load newer tables."


def _listed(found: list[Product]) -> str:
    return " or ".join(f"{product.name} ({product.ndc})" for product in found)
