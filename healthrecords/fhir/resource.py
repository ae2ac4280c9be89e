"""The declaration of a resource type: interactions, search and capabilities all follow from it."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache

from django.conf import settings
from django.utils.module_loading import import_string

from healthrecords.access.request import Actor
from healthrecords.records import Record, RecordVersion

from .mapping import JSON, Draft, Mapping
from .outcome import Issue
from .search.params import COMMON, Param

# R4 Resource and DomainResource: elements that every type may carry and that stay in `extra`.
BASE_ELEMENTS = frozenset(
    ["resourceType", "id", "meta", "implicitRules", "language", "text", "contained", "extension", "modifierExtension"]
)


@dataclass(frozen=True)
class Resource:
    """One served type. `sorts` maps a search parameter to the columns that `_sort` orders by.

    A `directory` type (organizations, practitioners, places) is about no patient: its reads are no disclosures.
    `settle` works out the columns of the record that follow from its parts.
    `check` finds faults that show once references are resolved; what it finds is refused with 422.
    `receive` may keep a part of what somebody sent elsewhere; it returns the resource that is stored.
    `gather` works out columns that follow from other records, for all drafts of one write at once.
    `follow` is told the versions that a write of another type made, so that what was gathered stays true.
    `written` is told the records of this type that somebody's write or deletion left, inside the same transaction.
    `remark` says what is worth knowing about a record as it is sent; it refuses nothing.
    """

    name: str
    mapping: Mapping
    search: tuple[Param, ...]
    summary: frozenset[str]
    sorts: dict[str, tuple[str, ...]] = field(default_factory=dict)
    settle: Callable[[Draft], None] = lambda _: None
    check: Callable[[JSON], Iterable[Issue]] = lambda _: ()
    receive: Callable[[JSON, Actor], JSON] = lambda body, _: body
    gather: Callable[[Sequence[Draft]], None] = lambda _: None
    follow: Callable[[Sequence[RecordVersion]], None] = lambda _: None
    written: Callable[[Sequence[Record], Actor], None] = lambda _, __: None
    remark: Callable[[Record], Iterable[Issue]] = lambda _: ()
    required: frozenset[str] = frozenset()
    directory: bool = False

    @property
    def model(self) -> type[Record]:
        return self.mapping.model

    @property
    def params(self) -> dict[str, Param]:
        """All search parameters by name, the common ones with them."""
        return {each.name: each for each in (*COMMON, *self.search)}

    @property
    def elements(self) -> frozenset[str]:
        """The top-level elements that R4 defines for the type, primitive extensions (`_name`) with them."""
        mapped = {each.path.split(".")[0] for each in self.mapping.elements}
        mapped |= {each.path for each in self.mapping.parts}
        named = mapped | self.mapping.others | BASE_ELEMENTS
        return frozenset(named | {f"_{name}" for name in named})


@cache
def registry() -> dict[str, Resource]:
    """The served types by name, in the order of the setting FHIR_RESOURCES."""
    declared: Iterator[Resource] = (import_string(path) for path in settings.FHIR_RESOURCES)
    return {each.name: each for each in declared}


@cache
def resource_of(model: type[Record]) -> Resource:
    """The declaration whose records are rows of `model`."""
    return next(each for each in registry().values() if each.model is model)


def is_directory(name: str) -> bool:
    """Whether the type named is a directory type, about no patient."""
    declared = registry().get(name)
    return declared is not None and declared.directory
