"""Search by references, wherever in the resource they stand: one column holds them as `parameter=Type/id`."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any, ClassVar
from uuid import UUID

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import F, Q, QuerySet, TextField, Value
from django.db.models.functions import Concat

from healthrecords.fhir.references import target_of
from healthrecords.fhir.resource import registry
from healthrecords.fhir.search.faults import BadSearch
from healthrecords.fhir.search.params import Condition, ModelClass, Param, ReferenceParam


@dataclass(frozen=True)
class LinkParam(ReferenceParam):
    """The literal references at `element`, a path such as `context.related`; `only` are the types that R4 permits."""

    element: str = ""
    only: tuple[str, ...] = ()

    def condition(self, model: ModelClass, modifier: str, values: list[str]) -> Condition:
        if modifier[:1].isupper():
            values = [value if "/" in value else f"{modifier}/{value}" for value in values]
            modifier = ""
        return super().condition(model, modifier, values)

    def match(self, value: str, modifier: str) -> Q:
        """An id without type is also kept, as `parameter=id`."""
        kind, logical_id = target_of(value) or ("", value)
        return Q(links__contains=[f"{self.name}={kind}/{logical_id}" if kind else f"{self.name}={logical_id}"])

    @property
    def kinds(self) -> frozenset[str]:
        return frozenset(self.only or registry())

    def among(self, model: ModelClass, kind: str, ids: QuerySet[Any, Any] | list[str]) -> Condition:
        begin = f"{self.name}={kind}/"
        if isinstance(ids, list):
            return Q(links__overlap=[begin + each for each in ids])
        texts = ids.model._default_manager.filter(logical_id__in=ids).order_by()
        links = texts.values_list(Concat(Value(begin), F("logical_id"), output_field=TextField()))
        return Q(links__overlap=ArraySubquery(links))

    def pointed(self, model: ModelClass, keys: list[UUID]) -> dict[str, set[str]]:
        rows: Any = model
        found: dict[str, set[str]] = {}
        for link in chain.from_iterable(rows.objects.filter(pk__in=keys).values_list("links", flat=True)):
            name, _, literal = link.partition("=")
            kind, slash, logical_id = literal.partition("/")
            if name == self.name and slash:
                found.setdefault(kind, set()).add(logical_id)
        return found

    def present(self) -> Q:
        return Q(links__contains=[self.name])

    def texts(self, resource: dict[str, Any]) -> Iterator[str]:
        """What `links` holds for a resource."""
        for reference in at(resource, self.element):
            target = target_of(reference.get("reference") or "") if isinstance(reference, dict) else None
            if reference:
                yield self.name
            if target:
                yield from (f"{self.name}={'/'.join(target)}", f"{self.name}={target[1]}")


@dataclass(frozen=True)
class RelationshipParam(Param):
    """The composite `relatesto$relation`: another document and what this one is to it."""

    type: ClassVar[str] = "composite"

    def match(self, value: str, modifier: str) -> Q:
        target, dollar, code = value.partition("$")
        if not (target and dollar and code):
            raise BadSearch(f"'{self.name}' takes a document and a code, such as DocumentReference/123$replaces.")
        return Q(links__contains=[f"{self.name}={target.removeprefix('DocumentReference/')}${code.rpartition('|')[2]}"])

    def present(self) -> Q:
        return Q(links__contains=[self.name])

    def texts(self, resource: dict[str, Any]) -> Iterator[str]:
        """What `links` holds for a resource."""
        for each in resource.get("relatesTo", []):
            target = target_of(each.get("target", {}).get("reference") or "")
            if target:
                yield from (self.name, f"{self.name}={target[1]}${each.get('code', '')}")


@dataclass(frozen=True)
class UriParam(Param):
    """A uri as a whole, or with `:below` what begins with it."""

    column: str = ""
    type: ClassVar[str] = "uri"
    modifiers: ClassVar[frozenset[str]] = frozenset({"missing", "below"})

    def match(self, value: str, modifier: str) -> Q:
        return Q(**{f"{self.column}__startswith" if modifier == "below" else self.column: value})

    def present(self) -> Q:
        return ~Q(**{self.column: ""})


def links_of(params: Iterable[Param], resource: dict[str, Any]) -> list[str]:
    """Return what `links` holds for a resource, sorted, none twice."""
    linking = (param for param in params if isinstance(param, LinkParam | RelationshipParam))
    return sorted({text for param in linking for text in param.texts(resource)})


def at(resource: dict[str, Any], path: str) -> list[Any]:
    """The values at a path, lists opened."""
    values: list[Any] = [resource]
    for step in path.split("."):
        inner = [value[step] for value in values if isinstance(value, dict) and step in value]
        values = [item for value in inner for item in (value if isinstance(value, list) else [value])]
    return values
