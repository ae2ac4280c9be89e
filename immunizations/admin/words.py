"""A dose in the words of a desk: its vaccine and its day."""

import re

from immunizations.codes.catalog import Catalog
from immunizations.models import Immunization

_SHOUTED = re.compile(r"[A-Z]{6,}")


def vaccine_name(dose: Immunization, catalog: Catalog) -> str:
    """The name by which people know the vaccine: the product's, else CDC's short one, else the record's own words."""
    if product := catalog.products.get(dose.ndc):
        return titled(product.name)
    if vaccine := catalog.vaccines.get(dose.cvx):
        return vaccine.short
    return dose.vaccine_text or (f"CVX {dose.cvx}" if dose.cvx else "Vaccine not named")


def titled(name: str) -> str:
    """A trade name without the capitals in which CDC lists it; short words may be abbreviations and stay."""
    return _SHOUTED.sub(lambda found: found[0].capitalize(), name)


def when(dose: Immunization) -> str:
    """The day of a dose, as exactly as it is known."""
    return dose.occurred[:10] or dose.occurred_text or "Date unknown"
