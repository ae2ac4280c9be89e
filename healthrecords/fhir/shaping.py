"""How much of a resource an answer shows: `_summary` and `_elements` (R4 §3.1.1.5.8, §3.1.1.5.9)."""

from dataclasses import dataclass
from typing import Any

import orjson

from healthrecords.jsontext import parse_json

from .resource import Resource

SUBSETTED = {"system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue", "code": "SUBSETTED"}
_ALWAYS = frozenset({"resourceType", "id", "meta"})


@dataclass(frozen=True)
class Shape:
    """The whole resource, or the part of it that was asked for."""

    summary: str = "false"
    elements: frozenset[str] = frozenset()

    def one(self, resource: Resource, content: str) -> Any:
        """Return stored JSON text as it is shown."""
        keep = self._kept(resource)
        return content if keep is None else _cut(content, keep, drop_text=self.summary == "data")

    def entry(self, resource: Resource, content: str) -> Any:
        """Return the same as a value that stands inside a Bundle."""
        shown = self.one(resource, content)
        return fragment(shown) if isinstance(shown, str) else shown

    def _kept(self, resource: Resource) -> frozenset[str] | None:
        """The top-level elements to keep; None for everything, an empty set for everything but the text."""
        if self.elements:
            return self.elements | resource.required | _ALWAYS
        return {
            "true": resource.summary | resource.required | _ALWAYS,
            "text": frozenset({"text"}) | resource.required | _ALWAYS,
            "data": frozenset(),
        }.get(self.summary)


def fragment(content: str) -> Any:
    """Return stored JSON text as a value inside other JSON, without parsing it."""
    return orjson.Fragment(content)


def _cut(content: str, keep: frozenset[str], drop_text: bool) -> dict[str, Any]:
    whole = parse_json(content)
    if drop_text:
        kept = {name: value for name, value in whole.items() if name != "text"}
    else:
        kept = {name: value for name, value in whole.items() if name.removeprefix("_") in keep}
    meta = kept.get("meta", {})
    return {**kept, "meta": {**meta, "tag": [*meta.get("tag", []), SUBSETTED]}}
