"""The types of search parameter (R4 §3.1.1.4): each row of a declaration answers with a condition in SQL."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar
from uuid import UUID

from django.db.models import Exists, Model, OuterRef, Q, QuerySet
from django.db.models.expressions import Combinable

from healthrecords.crypto.envelope import blind_indexes
from healthrecords.fhir.references import target_of
from healthrecords.text import fold

from .dates import DateFault, range_condition, search_span
from .faults import BadSearch

ModelClass = type[Model]
Condition = Q | Combinable


@dataclass(frozen=True)
class Param:
    """A search parameter. `path` names the related parts to look in; empty means the record's own columns."""

    name: str
    path: str = ""
    where: Mapping[str, Any] = field(default_factory=dict)
    type: ClassVar[str] = ""
    modifiers: ClassVar[frozenset[str]] = frozenset({"missing"})

    def condition(self, model: ModelClass, modifier: str, values: list[str]) -> Condition:
        """The condition that any of `values` (comma-separated alternatives) meets; raise BadSearch."""
        if modifier == "missing":
            return self._missing(model, values)
        if modifier and modifier not in self.modifiers:
            raise BadSearch(f"The parameter '{self.name}' has no modifier ':{modifier[:30]}' here.")
        wanted = Q()
        for value in values:
            wanted |= self.match(value, "" if modifier == "not" else modifier)
        found = self._within(model, wanted)
        return ~found if modifier == "not" else found

    def match(self, value: str, modifier: str) -> Q:
        """The condition on one row of the table that `path` names."""
        raise NotImplementedError

    def present(self) -> Q:
        """The condition that the row has a value at all."""
        raise NotImplementedError

    def _missing(self, model: ModelClass, values: list[str]) -> Condition:
        if values not in (["true"], ["false"]):
            raise BadSearch(f"'{self.name}:missing' takes true or false.")
        there = self._within(model, self.present())
        return ~there if values == ["true"] else there

    def _within(self, model: ModelClass, wanted: Q) -> Condition:
        if not self.path:
            return wanted
        related: Any = model._meta.get_field(self.path).related_model
        return Exists(related.objects.filter(wanted, record=OuterRef("pk"), **self.where))


@dataclass(frozen=True)
class StringParam(Param):
    """Names and addresses: begins with (default), `:contains`, `:exact`. `key` holds the folded values."""

    key: str = ""
    exact: tuple[str, ...] = ()
    type: ClassVar[str] = "string"
    modifiers: ClassVar[frozenset[str]] = frozenset({"missing", "contains", "exact"})

    def match(self, value: str, modifier: str) -> Q:
        if modifier == "exact":
            return self._exactly(value)
        text = fold(value)
        if not text:
            raise BadSearch(f"The value of '{self.name}' has no letter or digit to search for.")
        return Q(**{f"{self.key}__contains": text if modifier == "contains" else f"|{text}"})

    def _exactly(self, value: str) -> Q:
        """Compare as sent; the folded column narrows first, since it has the index."""
        wanted = Q()
        for column in self.exact:
            wanted |= Q(
                **{column.removesuffix("[]") + ("__contains" if column.endswith("[]") else ""): _listed(column, value)}
            )
        return wanted & Q(**{f"{self.key}__contains": f"|{fold(value)}|"})

    def present(self) -> Q:
        return ~Q(**{self.key: ""})


def _listed(column: str, value: str) -> Any:
    return [value] if column.endswith("[]") else value


@dataclass(frozen=True)
class TokenParam(Param):
    """A code: `code`, `system|code`, `|code`, `system|`; `:not`. `system` is fixed, or read from `system_column`."""

    column: str = ""
    system: str = ""
    system_column: str = ""
    type: ClassVar[str] = "token"
    modifiers: ClassVar[frozenset[str]] = frozenset({"missing", "not"})

    def match(self, value: str, modifier: str) -> Q:
        system, bar, code = value.rpartition("|")
        if not bar:
            return self.coded(code)
        if self.system_column:
            systemic = Q(**{self.system_column: system})
        else:
            systemic = Q() if system in ("", self.system) else Q(pk=None)
        if system and self.system and system != self.system:
            return Q(pk=None)
        return systemic & (self.coded(code) if code else self.present())

    def coded(self, code: str) -> Q:
        """The condition on the code alone."""
        return Q(**{self.column: code})

    def present(self) -> Q:
        return ~Q(**{self.column: ""})


@dataclass(frozen=True)
class BooleanParam(TokenParam):
    """A token that is true or false."""

    def coded(self, code: str) -> Q:
        if code not in ("true", "false"):
            raise BadSearch(f"'{self.name}' takes true or false.")
        return Q(**{self.column: code == "true"})

    def present(self) -> Q:
        return Q(**{f"{self.column}__isnull": False})


@dataclass(frozen=True)
class IdentifierParam(TokenParam):
    """Identifiers by system and value; a sealed one is found by its blind index."""

    path: str = "identifiers"
    column: str = "value"
    system_column: str = "system"

    def coded(self, code: str) -> Q:
        return Q(value=code) | Q(fingerprint__in=blind_indexes(code, "identifier"))

    def present(self) -> Q:
        return ~Q(value="") | Q(fingerprint__isnull=False)


@dataclass(frozen=True)
class TelecomParam(TokenParam):
    """Ways to reach somebody, compared without case: a phone number by its digits, else as a whole."""

    path: str = "telecoms"
    column: str = "value"
    system_column: str = "system"
    key: str = "value_key"

    def coded(self, code: str) -> Q:
        digits = "" if any(c.isalpha() for c in code) else "".join(c for c in code if c.isdigit())
        return Q(**{f"{self.key}__in": [code.casefold(), *([digits] if len(digits) >= 5 else [])]})


@dataclass(frozen=True)
class DateParam(Param):
    """A date with its span in two columns, [low, high)."""

    low: str = ""
    high: str = ""
    type: ClassVar[str] = "date"

    def match(self, value: str, modifier: str) -> Q:
        try:
            return range_condition(*search_span(value), self.low, self.high)
        except DateFault as fault:
            raise BadSearch(f"'{self.name}': {fault}") from None

    def present(self) -> Q:
        return Q(**{f"{self.low}__isnull": False})


@dataclass(frozen=True)
class ReferenceParam(Param):
    """A reference as `Type/id`, `id` or our own absolute URL; `targets` maps each type to its column."""

    targets: Mapping[str, str] = field(default_factory=dict)
    type: ClassVar[str] = "reference"

    def condition(self, model: ModelClass, modifier: str, values: list[str]) -> Condition:
        if modifier in self.targets:
            values = [value if "/" in value else f"{modifier}/{value}" for value in values]
            modifier = ""
        return super().condition(model, modifier, values)

    def match(self, value: str, modifier: str) -> Q:
        kind, logical_id = target_of(value) or ("", value)
        if kind not in ("", *self.targets):
            return Q(pk=None)
        wanted = Q()
        for column in [self.targets[kind]] if kind else self.targets.values():
            wanted |= Q(**{column: logical_id})
        return wanted

    @property
    def kinds(self) -> frozenset[str]:
        """The types that it may point to."""
        return frozenset(self.targets)

    def among(self, model: ModelClass, kind: str, ids: QuerySet[Any, Any] | list[str]) -> Condition:
        """The condition that a row points to one of the logical ids of type `kind`."""
        return self._within(model, Q(**{f"{self.targets[kind]}__in": ids}))

    def pointed(self, model: ModelClass, keys: list[UUID]) -> dict[str, set[str]]:
        """The logical ids, by type, that the rows with these keys point to."""
        rows: Any = model._meta.get_field(self.path).related_model if self.path else model
        within = {"record__in" if self.path else "pk__in": keys, **self.where}
        found = rows.objects.filter(**within).order_by().values_list(*self.targets.values())
        columns = zip(self.targets, zip(*found, strict=True) if found else [()] * len(self.targets), strict=True)
        return {kind: {each for each in column if each} for kind, column in columns}

    def present(self) -> Q:
        wanted = Q()
        for column in () if self.path else self.targets.values():  # a part is there because there is a reference
            wanted |= Q(**{f"{column}__isnull": False})
        return wanted


@dataclass(frozen=True)
class AnyReferenceParam(ReferenceParam):
    """A reference to any type, kept as a type and a logical id in two columns of the parts that `path` names."""

    only: frozenset[str] = frozenset()  # the types that R4 permits, where not all
    kind: str = "target_type"
    key: str = "target_id"

    def condition(self, model: ModelClass, modifier: str, values: list[str]) -> Condition:
        if modifier[:1].isupper():
            values = [value if "/" in value else f"{modifier}/{value}" for value in values]
            modifier = ""
        return super().condition(model, modifier, values)

    def match(self, value: str, modifier: str) -> Q:
        kind, logical_id = target_of(value) or ("", value)
        return Q(**{self.key: logical_id, **({self.kind: kind} if kind else {})})

    @property
    def kinds(self) -> frozenset[str]:
        from healthrecords.fhir.resource import registry

        return self.only or frozenset(registry())

    def among(self, model: ModelClass, kind: str, ids: QuerySet[Any, Any] | list[str]) -> Condition:
        return self._within(model, Q(**{self.kind: kind, f"{self.key}__in": ids}))

    def pointed(self, model: ModelClass, keys: list[UUID]) -> dict[str, set[str]]:
        rows: Any = model._meta.get_field(self.path).related_model
        found: dict[str, set[str]] = {}
        for kind, logical_id in rows.objects.filter(record__in=keys).order_by().values_list(self.kind, self.key):
            if kind:
                found.setdefault(kind, set()).add(logical_id)
        return found


@dataclass(frozen=True)
class InstantParam(DateParam):
    """A date parameter on one exact time."""

    def match(self, value: str, modifier: str) -> Q:
        try:
            prefix, low, high = search_span(value)
        except DateFault as fault:
            raise BadSearch(f"'{self.name}': {fault}") from None
        before, since = Q(**{f"{self.low}__lt": low}), Q(**{f"{self.low}__gte": low})
        until, after = Q(**{f"{self.low}__lt": high}), Q(**{f"{self.low}__gte": high})
        return {
            "eq": since & until, "ap": since & until, "ne": ~(since & until), "lt": before, "eb": before,
            "gt": after, "sa": after, "ge": since, "le": until,
        }[prefix]  # fmt: skip


COMMON: tuple[Param, ...] = (
    TokenParam("_id", column="logical_id"),
    InstantParam("_lastUpdated", low="updated_at"),
)
