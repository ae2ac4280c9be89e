"""US Core's extensions of Patient: race, ethnicity and birth sex (US Core 3.1.1 and later), as columns."""

from typing import Any

from healthrecords.fhir.mapping import MISSING, Coder, Slice
from patients.models import BirthSex

_US_CORE = "http://hl7.org/fhir/us/core/StructureDefinition"
_CODINGS = {"omb": "ombCategory", "detailed": "detailed"}


def _take_categories(extension: dict[str, Any]) -> Any:
    """Race or ethnicity as `omb` and `detailed` (lists of Codings) and `text`; MISSING for any other shape."""
    column: dict[str, Any] = {}
    for part in _listed(extension.get("extension")):
        found = next((name for name, url in _CODINGS.items() if part.get("url") == url), None)
        if found and _is_texts(part.get("valueCoding")):
            column.setdefault(found, []).append(part["valueCoding"])
        elif part.get("url") == "text" and isinstance(part.get("valueString"), str):
            column["text"] = part["valueString"]
        else:
            return MISSING
    return column or MISSING


def _give_categories(url: str, column: dict[str, Any]) -> dict[str, Any]:
    parts = [{"url": _CODINGS[name], "valueCoding": coding} for name in _CODINGS for coding in column.get(name, [])]
    text = [{"url": "text", "valueString": column["text"]}] if column.get("text") else []
    return {"url": url, "extension": [*parts, *text]}


def _listed(value: Any) -> list[dict[str, Any]]:
    return value if isinstance(value, list) and all(isinstance(each, dict) for each in value) else []


def _is_texts(value: Any) -> bool:
    return isinstance(value, dict) and bool(value) and all(isinstance(each, str) for each in value.values())


def _categories(name: str) -> Slice:
    url = f"{_US_CORE}/us-core-{name}"
    return Slice(url, name, Coder(_take_categories, lambda column: _give_categories(url, column)))


def _birth_sex() -> Slice:
    url = f"{_US_CORE}/us-core-birthsex"
    coder = Coder(
        lambda extension: extension["valueCode"] if extension.get("valueCode") in BirthSex.values else MISSING,
        lambda column: {"url": url, "valueCode": column},
    )
    return Slice(url, "birth_sex", coder)


SLICES = (_categories("race"), _categories("ethnicity"), _birth_sex())
