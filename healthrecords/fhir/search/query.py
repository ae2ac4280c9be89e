"""A query string as a search: conditions, order, and how the answer is to look. What is not known is refused."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.conf import settings

from healthrecords.access import policy
from healthrecords.access.request import AccessRequest

from . import terms
from .faults import BadSearch
from .include import Include, parse_include, served
from .params import ReferenceParam

if TYPE_CHECKING:
    from healthrecords.fhir.resource import Resource
    from healthrecords.records import RecordQuerySet

SUMMARIES = frozenset({"true", "text", "data", "count", "false"})
TOTALS = frozenset({"none", "estimate", "accurate"})
RENDERING = frozenset({"_format", "_pretty"})
MAX_TERMS = 30  # parameters of one search, each a subquery
MAX_ALL_VALUES = 500  # of all parameters together
MAX_INCLUDES = 20
MAX_CHAIN = 3


@dataclass
class Search:
    """What a client searches for. `pairs` are its parameters as sent, for the self link and the trail."""

    conditions: list[Any] = field(default_factory=list)
    order: tuple[str, ...] = ()
    count: int = 0
    summary: str = "false"
    elements: frozenset[str] = frozenset()
    total: str = "none"
    includes: list[Include] = field(default_factory=list)
    pairs: list[tuple[str, str]] = field(default_factory=list)

    @property
    def text(self) -> str:
        return urlencode(self.pairs)

    def include(self, wanted: list[Include]) -> None:
        """Add what is to be included, each once."""
        self.includes += [each for each in wanted if each not in self.includes]

    def narrow(self, queryset: "RecordQuerySet") -> "RecordQuerySet":
        """The rows of `queryset` that meet every condition."""
        for condition in self.conditions:
            queryset = queryset.filter(condition)
        return queryset


def parse(resource: "Resource", pairs: Iterable[tuple[str, str]], asked: AccessRequest) -> Search:
    """Return the search that `pairs` ask for; raise BadSearch with a sentence for anything unknown or malformed.

    A chained parameter looks only at records of the other type that the asker may see.
    """
    search = Search(count=page_size(None))
    for name, value in pairs:
        if name in RENDERING:
            continue
        search.pairs.append((name, value))
        if "\x00" in value or len(value) > 10_000:
            raise BadSearch(f"The value of '{name[:60]}' is too long or holds a NUL character.")
        if name in _CONTROLS:
            _CONTROLS[name](resource, search, value)
        else:
            search.conditions.append(_condition(resource, name, value, asked))
        _refuse_costly(search)
    return search


def _refuse_costly(search: Search) -> None:
    values = sum(len(terms.alternatives(value)) for name, value in search.pairs if name not in _CONTROLS)
    if len(search.conditions) > MAX_TERMS or values > MAX_ALL_VALUES or len(search.includes) > MAX_INCLUDES:
        limits = f"{MAX_TERMS} parameters with {MAX_ALL_VALUES} values in all, and {MAX_INCLUDES} includes"
        raise BadSearch(f"A search has at most {limits}.")


def _condition(resource: "Resource", name: str, value: str, asked: AccessRequest) -> Any:
    link, dot, rest = name.partition(".")
    if dot:
        return _chained(resource, link, rest, value, asked)
    return terms.condition(resource, name, value)


def _chained(resource: "Resource", link: str, rest: str, value: str, asked: AccessRequest) -> Any:
    """`patient.identifier=…`, `patient:Patient.name=…`: the condition on what a reference points to (R4 §3.1.1.5.5)."""
    plain, _, kind = link.partition(":")
    param = terms.param_of(resource, plain)
    kinds = sorted(getattr(param, "kinds", frozenset()) & served().keys())
    if kind:
        kinds = [each for each in kinds if each == kind]
    if rest.count(".") >= MAX_CHAIN:
        raise BadSearch(f"A chain has {MAX_CHAIN} links at most.")
    first = rest.partition(".")[0].partition(":")[0]
    targets = [served()[each] for each in kinds if first in served()[each].params]
    if not isinstance(param, ReferenceParam) or not targets:
        raise BadSearch(f"{resource.name} has no chained parameter '{link[:60]}.{rest[:60]}'.")
    return reduce(or_, (_through(resource, param, target, (rest, value), asked) for target in targets))


def _through(
    resource: "Resource", param: ReferenceParam, target: "Resource", term: tuple[str, str], asked: AccessRequest
) -> Any:
    rows = policy.visible(target.model.objects.live(), asked.to("search", target.name))
    found = rows.filter(_condition(target, *term, asked))
    return param.among(resource.model, target.name, found.order_by().values("logical_id"))


def page_size(value: str | None) -> int:
    """Return the rows of a page that `_count` asks for, within the limit; the usual size for None."""
    if value is None:
        return int(settings.FHIR_PAGE_SIZE)
    if not re.fullmatch(r"[0-9]{1,6}", value):
        raise BadSearch("_count takes a whole number.")
    return min(int(value), settings.FHIR_MAX_PAGE_SIZE)


def _count(resource: "Resource", search: Search, value: str) -> None:
    search.count = page_size(value)
    if search.count == 0:
        search.summary = "count"


def _sort(resource: "Resource", search: Search, value: str) -> None:
    columns: list[str] = []
    for part in value.split(","):
        name = part.removeprefix("-")
        if name not in resource.sorts:
            known = ", ".join(sorted(resource.sorts))
            raise BadSearch(f"_sort does not know '{name[:60]}'; {resource.name} sorts by {known}.")
        columns += [f"-{c}" if part.startswith("-") else c for c in resource.sorts[name]]
    search.order = tuple(columns)


def _summary(resource: "Resource", search: Search, value: str) -> None:
    if value not in SUMMARIES:
        raise BadSearch("_summary takes true, text, data, count or false.")
    search.summary = value


def _elements(resource: "Resource", search: Search, value: str) -> None:
    names = [name.removeprefix(f"{resource.name}.") for name in value.split(",") if name]
    unknown = [name for name in names if name not in resource.elements]
    if unknown or not names:
        raise BadSearch(
            f"_elements does not know '{(unknown or [''])[0][:60]}'; name top-level elements of {resource.name}."
        )
    search.elements = frozenset(names)


def _include(resource: "Resource", search: Search, value: str) -> None:
    search.include(parse_include(resource, value, reverse=False))


def _revinclude(resource: "Resource", search: Search, value: str) -> None:
    search.include(parse_include(resource, value, reverse=True))


def _total(resource: "Resource", search: Search, value: str) -> None:
    if value not in TOTALS:
        raise BadSearch("_total takes none, estimate or accurate.")
    search.total = value


_CONTROLS = {
    "_count": _count,
    "_sort": _sort,
    "_summary": _summary,
    "_elements": _elements,
    "_total": _total,
    "_include": _include,
    "_revinclude": _revinclude,
}
