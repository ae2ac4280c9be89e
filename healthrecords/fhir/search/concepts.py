"""Search by any coding of a concept: the codings of all such parameters stand in one column of the record.

Each coding is kept in the forms in which a client may ask for it (`code`, `system|code`, `|code`, `system|`), behind
the parameter's name, so that one index on `tokens` serves them all.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import Q

from .params import Param, TokenParam


@dataclass(frozen=True)
class ConceptParam(TokenParam):
    """Codings (`system|code`) of the CodeableConcepts or Codings at `element`, a path such as `agent.role`."""

    element: str = ""

    def match(self, value: str, modifier: str) -> Q:
        return Q(tokens__contains=[f"{self.name}={value}"])

    def present(self) -> Q:
        return Q(tokens__contains=[self.name])


def tokens_of(params: Iterable[Param], resource: dict[str, Any]) -> list[str]:
    """Return what `tokens` holds for a resource, sorted, none twice."""
    found: set[str] = set()
    for param in params:
        if isinstance(param, ConceptParam):
            for concept in _at([resource], param.element.split(".")):
                found.add(param.name)
                found.update(f"{param.name}={form}" for coding in _codings(concept) for form in _forms(coding))
    return sorted(found)


def _at(values: list[Any], steps: list[str]) -> list[Any]:
    for step in steps:
        inner = [value[step] for value in values if isinstance(value, dict) and step in value]
        values = [item for value in inner for item in (value if isinstance(value, list) else [value])]
    return values


def _codings(concept: Any) -> Iterator[dict[str, Any]]:
    if isinstance(concept, dict):
        codings = concept.get("coding", [concept])
        yield from (each for each in codings if isinstance(each, dict))


def _forms(coding: dict[str, Any]) -> Iterator[str]:
    system, code = coding.get("system", ""), coding.get("code", "")
    if code:
        yield from (f"{code}", f"{system}|{code}")
    if system:
        yield f"{system}|"
