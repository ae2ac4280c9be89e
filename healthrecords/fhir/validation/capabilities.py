"""What a CapabilityStatement says of HL7's search parameters must agree with their definitions (R4 §2.1.3, §3.1.1)."""

from collections.abc import Iterator
from functools import cache
from typing import Any

from . import table
from .rules.registry import text_of

JSON = dict[str, Any]

_HL7 = "http://hl7.org/fhir/SearchParameter/"


@cache
def _types() -> dict[str, str]:
    return {name: kind for kind, names in table.rows()["searches"].items() for name in names}


def faults(statement: JSON, path: str) -> Iterator[tuple[str, str, str]]:
    """Search parameters whose stated type is not that of the definition which they name: code, sentence, path."""
    for parameter, at in _parameters(statement, path):
        definition, stated = text_of(parameter, "definition").partition("|")[0], text_of(parameter, "type")
        defined = _types().get(definition.removeprefix(_HL7)) if definition.startswith(_HL7) else None
        if defined and stated and defined != stated:
            yield "invalid", f"{definition} is of type {defined}, not {stated[:40]}.", at


def _parameters(statement: JSON, path: str) -> Iterator[tuple[JSON, str]]:
    for rest, at in _each(statement, "rest", path):
        yield from _each(rest, "searchParam", at)
        for resource, below in _each(rest, "resource", at):
            yield from _each(resource, "searchParam", below)


def _each(owner: JSON, name: str, path: str) -> Iterator[tuple[JSON, str]]:
    value = owner.get(name)
    for position, item in enumerate(value if isinstance(value, list) else []):
        if isinstance(item, dict):
            yield item, f"{path}.{name}[{position}]"
