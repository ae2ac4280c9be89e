"""The search parameters of AuditEvent over the trail's columns, each a condition in SQL, and pages by time and key."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from django.db.models import Q

from compliance.audit_event import codes
from compliance.phi_access.models import AccessEvent
from healthrecords.fhir.references import target_of
from healthrecords.fhir.search.faults import BadSearch
from healthrecords.fhir.search.params import InstantParam, Param


@dataclass(frozen=True)
class IdParam(Param):
    type: ClassVar[str] = "token"
    modifiers: ClassVar[frozenset[str]] = frozenset()

    def match(self, value: str, modifier: str) -> Q:
        return Q(pk=key_of(value))


@dataclass(frozen=True)
class PatientParam(Param):
    """The patient whose data it was."""

    type: ClassVar[str] = "reference"

    def match(self, value: str, modifier: str) -> Q:
        kind, logical_id = target_of(value) or ("Patient", value)
        return Q(patient=logical_id if kind == "Patient" else None) & self.present()

    def present(self) -> Q:
        return Q(patient__isnull=False)


@dataclass(frozen=True)
class EntityParam(Param):
    """A resource that was shown or changed, in whatever version."""

    type: ClassVar[str] = "reference"
    modifiers: ClassVar[frozenset[str]] = frozenset()

    def match(self, value: str, modifier: str) -> Q:
        found = target_of(value)
        if found is None:
            raise BadSearch(f"'{self.name}' takes Type/id.")
        return Q(resources__contains=["/".join(found)])


@dataclass(frozen=True)
class AgentParam(Param):
    """Who acted, by the id of the person, token or client: `agent=…` or `agent:identifier=system|…`."""

    type: ClassVar[str] = "reference"
    modifiers: ClassVar[frozenset[str]] = frozenset({"identifier"})

    def match(self, value: str, modifier: str) -> Q:
        system, _, identifier = value.rpartition("|")
        kind = {"actor_kind": system.rpartition(":")[2]} if system else {}
        return Q(actor_id=identifier, **kind)


@dataclass(frozen=True)
class AgentNameParam(Param):
    """The name that the actor had then: begins with (default) or `:exact`, which has an index."""

    type: ClassVar[str] = "string"
    modifiers: ClassVar[frozenset[str]] = frozenset({"exact", "contains"})

    def match(self, value: str, modifier: str) -> Q:
        lookup = {"": "istartswith", "exact": "exact", "contains": "icontains"}[modifier]
        return Q(**{f"actor__{lookup}": value})


@dataclass(frozen=True)
class AddressParam(Param):
    """The network address of the client."""

    type: ClassVar[str] = "string"
    modifiers: ClassVar[frozenset[str]] = frozenset({"missing", "exact"})

    def match(self, value: str, modifier: str) -> Q:
        return Q(address=value) if modifier else Q(address__startswith=value)

    def present(self) -> Q:
        return ~Q(address="")


@dataclass(frozen=True)
class KindParam(Param):
    """Type, subtype or action, as `codes` derives them from the row."""

    type: ClassVar[str] = "token"
    modifiers: ClassVar[frozenset[str]] = frozenset({"not"})

    def match(self, value: str, modifier: str) -> Q:
        found = codes.having(lambda kind: self.fits(kind, value))
        word = value.rpartition("|")
        own = self.name == "subtype" and word[0] in ("", codes.OWN) and word[2]
        if not own or codes.kind_of(word[2], "").type == codes.RESTFUL:
            return found
        return found | Q(word=word[2]) | Q(word="command", route__startswith=f"{word[2]} ")

    def fits(self, kind: codes.Kind, value: str) -> bool:
        """Whether an event of `kind` has the code searched for."""
        if self.name == "action":
            return kind.action == value.rpartition("|")[2]
        return any(each.is_meant_by(value) for each in (kind.subtypes if self.name == "subtype" else (kind.type,)))


@dataclass(frozen=True)
class OutcomeParam(Param):
    type: ClassVar[str] = "token"
    modifiers: ClassVar[frozenset[str]] = frozenset({"not"})

    def match(self, value: str, modifier: str) -> Q:
        code = value.rpartition("|")[2]
        if code not in ("0", "4", "8", "12"):
            raise BadSearch(f"'{self.name}' takes 0, 4, 8 or 12.")
        return codes.OUTCOMES.get(code, Q(pk=None))


SEARCH: tuple[Param, ...] = (
    IdParam("_id"),
    InstantParam("_lastUpdated", low="time"),
    InstantParam("date", low="time"),
    PatientParam("patient"),
    EntityParam("entity"),
    AgentParam("agent"),
    AgentNameParam("agent-name"),
    AddressParam("address"),
    KindParam("type"),
    KindParam("subtype"),
    KindParam("action"),
    OutcomeParam("outcome"),
)


@dataclass(frozen=True)
class Trail:
    """What the search of the API asks of a type (healthrecords.fhir.resource.Resource): rows here are no records."""

    name: str = "AuditEvent"
    model: Any = AccessEvent
    params: dict[str, Param] = field(default_factory=lambda: {each.name: each for each in SEARCH})
    sorts: dict[str, tuple[str, ...]] = field(default_factory=lambda: {"date": ("time",)})
    required: frozenset[str] = frozenset({"type", "recorded", "agent", "source"})
    elements: frozenset[str] = frozenset(
        ["id", "meta", "type", "subtype", "action", "recorded", "outcome", "outcomeDesc", "purposeOfEvent", "agent",
         "source", "entity"]
    )  # fmt: skip
    summary: frozenset[str] = elements - {"purposeOfEvent"}


def key_of(text: str) -> UUID | None:
    """The key that an id means; None for what is none."""
    try:
        return UUID(text)
    except ValueError:
        return None


def page_of(rows: Any, oldest_first: bool, count: int, state: dict[str, Any]) -> tuple[list[Any], dict[str, Any]]:
    """Return a page, newest first unless asked otherwise, and the state of the link to the next one (empty at the end).

    An event that comes meanwhile has a later time, so that pages neither skip nor repeat.
    """
    if state:
        at, key = datetime.fromisoformat(state["at"]), UUID(state["key"])
        way = "gt" if oldest_first else "lt"
        beyond = Q(**{f"time__{way}": at}) | Q(**{"time": at, f"uuid__{way}": key})
        rows = rows.filter(beyond, **{f"time__{way}e": at})  # the second lets the planner skip partitions
    order = ("time", "uuid") if oldest_first else ("-time", "-uuid")
    page = list(rows.order_by(*order)[: count + 1])
    if len(page) <= count:
        return page, {}
    return page[:count], {"at": page[count - 1].time.isoformat(), "key": str(page[count - 1].uuid)}
