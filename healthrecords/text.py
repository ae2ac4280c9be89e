"""Names and addresses as search compares them: without case, accents and doubled spaces (R4 §3.1.1.4.8)."""

import unicodedata
from collections.abc import Iterable


def fold(text: str) -> str:
    """Return `text` in the form in which search compares it."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    kept = "".join(c for c in plain if not unicodedata.combining(c) and c != "|")
    return " ".join(kept.split())


def search_key(values: Iterable[str | None]) -> str:
    """Return the folded values as one column, `|peter|james|`: `|pe` finds a beginning, `am` finds a part."""
    folded = [fold(value) for value in values if value]
    return "".join(["|", *(f"{value}|" for value in folded)]) if folded else ""
