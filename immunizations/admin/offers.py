"""What a scan, or a few letters of a trade name, fills into a line: the same fields, by the names of the form's."""

from datetime import date
from typing import Any

from immunizations.admin.words import titled
from immunizations.codes.catalog import Catalog, Vaccine
from immunizations.codes.products import Product
from immunizations.codes.scanning import Scan
from immunizations.models import Immunization
from immunizations.stock import listing
from immunizations.stock.remarks import warnings_of

JSON = dict[str, Any]
MOST = 12  # offers in the list
_ROUTES = {
    "INTRAMUSCULAR": "IM", "IM": "IM", "SUBCUTANEOUS": "SQ", "INTRADERMAL": "IDINJ", "INTRANASAL": "NASINHLC",
    "NASAL": "NASINHLC", "ORAL": "PO",
}  # fmt: skip


def of_scan(scan: Scan, text: str) -> JSON:
    """The line that a barcode fills and what is wrong with it; nothing is filled where no product follows from it."""
    if scan.product is None:
        return {"line": None, "problems": list(scan.problems)}
    line = _of_product(scan.product, scan.cvx) | {
        "lot": scan.lot,
        "expires": scan.expiry.isoformat() if scan.expiry else "",
        "barcode": text,
    }
    dose = Immunization(lot_number=scan.lot, cvx=scan.cvx, mvx=scan.mvx)
    return {"line": line, "problems": [*scan.problems, *warnings_of(dose)]}


def of_text(text: str, catalog: Catalog, today: date, with_vaccines: bool, with_lots: bool) -> list[JSON]:
    """The products that `text` may mean, once for each vaccine that they may hold; on demand, vaccines by CVX."""
    products = catalog.products_by_name(text, MOST, today)
    found = [_offer(product, cvx, catalog) for product in products for cvx in product.cvx_choices]
    if with_lots:
        found = [*_on_shelf(products, catalog, today), *found]
    named = [_of_vaccine(vaccine) for vaccine in catalog.vaccines_by_text(text.strip())] if with_vaccines else []
    return [*named[:MOST], *found][: 2 * MOST if with_vaccines else MOST]


def _on_shelf(products: list[Product], catalog: Catalog, today: date) -> list[JSON]:
    """The lots in stock of these products, first to expire first: choosing one fills in lot and expiry as well."""
    vaccines = dict.fromkeys(cvx for product in products for cvx in product.cvx_choices)
    offers = {product.ndc: product for product in products if product.ndc}
    lots = [line for cvx in vaccines for line in listing.choices(cvx, None, today)]
    return [_of_lot(line, offers[line.lot.ndc]) for line in lots if line.lot.ndc in offers]


def _of_lot(line: listing.LotLine, product: Product) -> JSON:
    lot = line.lot
    expires = lot.expires.isoformat() if lot.expires else ""
    told = [f"Lot {lot.lot_number}", f"expires {expires}" if expires else "", f"{line.on_hand} left", line.location]
    values = {"lot": lot.lot_number, "expires": expires}
    detail = " · ".join(filter(None, told))
    return {"name": titled(product.name), "detail": detail, "line": _of_product(product, lot.cvx) | values}


def _offer(product: Product, cvx: str, catalog: Catalog) -> JSON:
    vaccine = catalog.vaccines.get(cvx)
    told = [vaccine.short if vaccine else f"CVX {cvx}", product.form.lower() or product.generic, product.ndc]
    detail = " · ".join(filter(None, dict.fromkeys(told)))
    return {"name": titled(product.name), "detail": detail, "line": _of_product(product, cvx)}


def _of_vaccine(vaccine: Vaccine) -> JSON:
    line = {"vaccine": vaccine.short, "cvx": vaccine.cvx}
    return {"name": vaccine.short, "detail": f"CVX {vaccine.cvx} · {vaccine.status}", "line": line}


def _of_product(product: Product, cvx: str) -> JSON:
    return {
        "vaccine": titled(product.name),
        "cvx": cvx,
        "mvx": product.mvx,
        "ndc": product.ndc,
        "dose": str(product.dose) if product.dose is not None else "",
        "route": _route(product.route),
    }


def _route(words: str) -> str:
    """The code of a route; none where CDC names several, of which a person chooses."""
    return "" if ";" in words else _ROUTES.get(words.upper().partition(" ")[0], "")
