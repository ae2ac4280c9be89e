"""A consent's provisions as the decision reads them. A shape that it would not evaluate is a fault, never ignored.

R4 Consent.provision as IHE PCF 1.1 Intermediate profiles it: actor, purpose, class, security label, period.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from healthrecords.fhir.mapping import JSON
from healthrecords.fhir.outcome import Issue
from healthrecords.fhir.primitives import span
from healthrecords.fhir.references import target_of
from healthrecords.fhir.validation.table import resource_types

DEEPEST = 2  # an exception to an exception
ROLE_SYSTEM = "urn:healthrecords:role"
CLASS_SYSTEM = "http://hl7.org/fhir/resource-types"
PURPOSE_SYSTEM = "http://terminology.hl7.org/CodeSystem/v3-ActReason"
PARTICIPATION = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"
RECIPIENTS = frozenset({"IRCP", "PRCP"})  # (primary) information recipient: how PCF names whom the data goes to
ACTORS = frozenset({"Practitioner", "PractitionerRole", "Organization", "Device"})
EVALUATED = frozenset({"id", "type", "period", "actor", "purpose", "class", "securityLabel", "provision"})


class Unsupported(Exception):
    """What is wrong with a value, as a sentence without its path."""


@dataclass(frozen=True)
class Node:
    """One provision with those inside it. None is a criterion that is absent; times are [starts_at, ends_at)."""

    denies: bool
    actors: frozenset[str] | None = None
    purposes: frozenset[str] | None = None
    classes: frozenset[str] | None = None
    labels: frozenset[str] | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    children: tuple["Node", ...] = ()


def faults(body: JSON) -> Iterator[Issue]:
    """What of a Consent's provisions is not supported, each with its path."""
    root = body.get("provision")
    if not isinstance(root, dict):
        yield Issue("not-supported", "A consent needs a provision of type permit or deny.", "Consent.provision")
        return
    yield from _faults(root, "Consent.provision", 0)


def read(provision: JSON) -> Node:
    """Return a provision that `faults` found nothing in."""
    values = {name: reader(provision[key]) for key, (name, reader) in _CRITERIA.items() if key in provision}
    starts_at, ends_at = _period(provision.get("period", {}))
    children = tuple(read(each) for each in provision.get("provision", []))
    return Node(provision["type"] == "deny", **values, starts_at=starts_at, ends_at=ends_at, children=children)


def _faults(provision: JSON, path: str, depth: int) -> Iterator[Issue]:
    if provision.get("type") not in ("permit", "deny"):
        yield Issue("not-supported", "A provision needs the type permit or deny.", f"{path}.type")
    for name in sorted(provision.keys() - EVALUATED):
        yield Issue("not-supported", f"The server does not evaluate '{name[:60]}' of a consent.", f"{path}.{name}")
    for name, (_, reader) in _CRITERIA.items():
        if name in provision:
            yield from _fault(reader, provision[name], f"{path}.{name}")
    yield from _fault(_period, provision.get("period", {}), f"{path}.period")
    inner = provision.get("provision", [])
    if inner and depth == DEEPEST:
        yield Issue("not-supported", f"Provisions nest {DEEPEST} deep at most.", f"{path}.provision")
        return
    for position, each in enumerate(inner):
        yield from _faults(each, f"{path}.provision[{position}]", depth + 1)


def _fault(reader: Callable[[Any], Any], value: Any, path: str) -> Iterator[Issue]:
    try:
        reader(value)
    except Unsupported as fault:
        yield Issue("not-supported", str(fault), path)


def _each(one: Callable[[JSON], str]) -> Callable[[list[JSON]], frozenset[str]]:
    def read_all(values: list[JSON]) -> frozenset[str]:
        if not values:
            raise Unsupported("An empty list would match nobody; leave the criterion out or name somebody.")
        return frozenset(one(value) for value in values)

    return read_all


def _actor(actor: JSON) -> str:
    """`Type/id` of a literal reference; else `role:name` of a role of this server."""
    literal = actor.get("reference", {}).get("reference")
    codings = actor.get("role", {}).get("coding", [])
    if actor.keys() - {"id", "role", "reference"}:
        raise Unsupported("An actor is a role and a reference, without extensions.")
    if literal is not None:
        target = target_of(literal)
        if target is None or target[0] not in ACTORS:
            raise Unsupported(f"An actor must be one of {', '.join(sorted(ACTORS))} of this server.")
        if any(each.get("code") not in RECIPIENTS for each in codings):
            raise Unsupported(f"The role beside a reference must be a recipient ({', '.join(sorted(RECIPIENTS))}).")
        return "/".join(target)
    names = {each.get("code") for each in codings if each.get("system", ROLE_SYSTEM) == ROLE_SYSTEM}
    if len(names) != 1 or len(codings) != 1:
        raise Unsupported(f"An actor without a literal reference needs one role of the system {ROLE_SYSTEM}.")
    return f"role:{names.pop()}"


def _purpose(coding: JSON) -> str:
    return _code(coding, PURPOSE_SYSTEM, "A purpose")


def _class(coding: JSON) -> str:
    name = _code(coding, CLASS_SYSTEM, "A class")
    if name not in resource_types():
        raise Unsupported(f"A class must be a resource type of R4, which '{name[:60]}' is not.")
    return name


def _label(coding: JSON) -> str:
    if not coding.get("code"):
        raise Unsupported("A security label needs a code.")
    return f"{coding.get('system', '')}|{coding['code']}"


def _code(coding: JSON, system: str, what: str) -> str:
    if coding.get("system") != system or not coding.get("code"):
        raise Unsupported(f"{what} must be a code of {system}.")
    return str(coding["code"])


def _period(period: JSON) -> tuple[datetime | None, datetime | None]:
    """[from, until): both ends are inclusive, and a date is that whole day in the installation's time zone."""
    if period.keys() - {"id", "start", "end"}:
        raise Unsupported("A period is a start and an end, without extensions.")
    start, end = period.get("start"), period.get("end")
    return span(start)[0] if start else None, span(end)[1] if end else None


_CRITERIA: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "actor": ("actors", _each(_actor)),
    "purpose": ("purposes", _each(_purpose)),
    "class": ("classes", _each(_class)),
    "securityLabel": ("labels", _each(_label)),
}
