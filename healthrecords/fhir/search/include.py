"""`_include` and `_revinclude` (R4 §3.1.1.5.4): what the matches point to, and what points to the matches."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.conf import settings

from healthrecords.access import policy
from healthrecords.access.request import AccessRequest

from .faults import BadSearch
from .params import ReferenceParam

if TYPE_CHECKING:
    from healthrecords.fhir.resource import Resource
    from healthrecords.records import Record, RecordQuerySet


@dataclass(frozen=True)
class Include:
    """One `_include` (of the searched type) or `_revinclude` (of another type), perhaps narrowed to one target type."""

    source: "Resource"
    param: ReferenceParam
    kinds: frozenset[str]
    reverse: bool

    def rows(self, matches: list["Record"], searched: "Resource") -> Iterable[tuple["Resource", "RecordQuerySet"]]:
        """The types with the rows to add, not yet narrowed to those that may be seen."""
        if not matches:
            return
        if self.reverse:
            ids = [match.logical_id for match in matches]
            condition = self.param.among(self.source.model, searched.name, ids)
            yield self.source, self.source.model.objects.live().filter(condition)
            return
        pointed = self.param.pointed(searched.model, [match.pk for match in matches])
        for kind in sorted(self.kinds & pointed.keys() & served().keys()):
            yield served()[kind], served()[kind].model.objects.live().filter(logical_id__in=pointed[kind])


def parse_include(searched: "Resource", value: str, reverse: bool) -> list[Include]:
    """Read `Type:parameter[:Target]`, or `Type:*`; raise BadSearch for what the declarations do not hold."""
    name = "_revinclude" if reverse else "_include"
    kind, _, rest = value.partition(":")
    wanted, _, target = rest.partition(":")
    source = served().get(kind)
    if source is None or (not reverse and source is not searched):
        raise BadSearch(f"{name} takes Type:parameter, for example {_example(searched, reverse)}.")
    references = [each for each in source.params.values() if isinstance(each, ReferenceParam)]
    found = [
        Include(source, each, frozenset({target}) if target else each.kinds, reverse)
        for each in references
        if wanted in (each.name, "*")
        and (not target or target in each.kinds)
        and (not reverse or searched.name in each.kinds)
    ]
    if not found:
        raise BadSearch(f"{name} does not know '{value[:80]}'; /fhir/metadata lists what can be included.")
    return found


def follow(
    includes: list[Include], matches: list["Record"], searched: "Resource", asked: AccessRequest
) -> list[tuple["Resource", Any]]:
    """Return (resource, row) of each record to add, once each, as far as the asker may see it."""
    taken = {(searched.name, match.logical_id) for match in matches}
    added: list[tuple[Resource, Any]] = []
    for include in includes:
        for resource, rows in include.rows(matches, searched):
            room = settings.FHIR_MAX_INCLUDED - len(added)
            visible = policy.visible(rows, asked.to("search", resource.name))
            found = list(visible.order_by("uuid").select_related("current")[: room + 1])
            if len(found) > room:
                raise BadSearch(f"More than {settings.FHIR_MAX_INCLUDED} records would be included; ask for less.")
            fresh = [row for row in found if (resource.name, row.logical_id) not in taken]
            taken |= {(resource.name, row.logical_id) for row in fresh}
            added += [(resource, row) for row in fresh]
    return added


def served() -> dict[str, "Resource"]:
    """The served types; imported late, since they are declared with the parameters of this package."""
    from healthrecords.fhir.resource import registry

    return registry()


def _example(searched: "Resource", reverse: bool) -> str:
    return "Provenance:target" if reverse else f"{searched.name}:organization"
