"""Race and ethnicity as the categories of the OMB, which US Core asks for; finer codings are kept as they are."""

from typing import Any

from patients.admin import labels

JSON = dict[str, Any]
_CDC = "urn:oid:2.16.840.1.113883.6.238"
_NULL_FLAVOR = "http://terminology.hl7.org/CodeSystem/v3-NullFlavor"
RACES = {**labels.RACE, **labels.UNSAID}
ETHNICITIES = {**labels.ETHNICITY, **labels.UNSAID}


def codes_of(stored: JSON | None) -> list[str]:
    """The codes of the categories in a stored race or ethnicity."""
    return [str(coding.get("code", "")) for coding in (stored or {}).get("omb", [])]


def words_of(stored: JSON | None, known: dict[str, str]) -> str:
    """A stored race or ethnicity in words."""
    said = (stored or {}).get("text") or ", ".join(known.get(code, code) for code in codes_of(stored))
    return str(said)


def with_codes(stored: JSON | None, codes: list[str], known: dict[str, str]) -> JSON | None:
    """What to store for the categories chosen; None when nothing is left."""
    detailed = (stored or {}).get("detailed", [])
    if not codes and not detailed:
        return None
    omb = [_coding(code, known) for code in codes]
    text = ", ".join(coding["display"] for coding in omb) or (stored or {}).get("text", "")
    return {key: value for key, value in (("omb", omb), ("detailed", detailed), ("text", text)) if value}


def _coding(code: str, known: dict[str, str]) -> dict[str, str]:
    system = _NULL_FLAVOR if code in labels.UNSAID else _CDC
    return {"system": system, "code": code, "display": known.get(code, code)}
