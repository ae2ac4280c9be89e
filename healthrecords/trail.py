"""Record an audit fact: the only way. The sink (socket AUDIT_SINK) writes it; no sink means no data.

A disclosure is written in the transaction of the request that discloses, before the answer leaves. A denial or
failure goes through the connection `trail`, so that a rollback of the request does not take it along.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import cache

from django.conf import settings
from django.utils.module_loading import import_string

from healthrecords import accessmetrics
from healthrecords.access.request import AccessRequest, Disclosure


@dataclass(frozen=True)
class Fact:
    """One row of the trail. `patient` is a logical id; `resources` are `Type/id` with their versions beside them."""

    action: str
    outcome: str = "success"
    patient: str | None = None
    resources: tuple[str, ...] = ()
    versions: tuple[int, ...] = ()
    detail: str = ""
    query: str = ""


@dataclass
class Entry:
    """What the sink is given: who asked, and the facts, to be written in one statement."""

    request: AccessRequest
    facts: list[Fact] = field(default_factory=list)


Sink = Callable[[Entry, str], None]


@cache
def _sink() -> Sink:
    return import_string(settings.AUDIT_SINK)


def record(request: AccessRequest, facts: Iterable[Fact]) -> None:
    """Write facts in the current transaction; whatever stops it must stop the answer, too."""
    _write(request, facts, "default")


def record_apart(request: AccessRequest, facts: Iterable[Fact]) -> None:
    """Write facts about what was denied or failed; they outlive the request's rollback."""
    _write(request, facts, "trail")


def _write(request: AccessRequest, facts: Iterable[Fact], using: str) -> None:
    entry = _entry(request, facts)
    _sink()(entry, using)
    for fact in entry.facts:
        accessmetrics.count(request, fact.action, fact.outcome, bool(fact.patient and any(fact.versions)))


def _entry(request: AccessRequest, facts: Iterable[Fact]) -> Entry:
    """The facts of one request; what a person does by an app names the app."""
    app = request.actor.app
    named = [replace(fact, detail=f"by the app {app}; {fact.detail}".rstrip("; ")) if app else fact for fact in facts]
    return Entry(request, named)


def disclosed(action: str, disclosures: Iterable[Disclosure], detail: str = "", query: str = "") -> list[Fact]:
    """One fact per patient disclosed, with the resources shown; one without a patient for what is about nobody."""
    shown: dict[str | None, list[tuple[str, int]]] = {}
    for each in disclosures:
        for logical_id, version, patients in each.rows:
            subjects: list[str | None] = [*patients] or [None]
            for patient in subjects:
                shown.setdefault(patient, []).append((f"{each.resource_type}/{logical_id}", version))
    facts = [
        Fact(action, patient=patient, resources=tuple(r), versions=tuple(v), detail=detail, query=query)
        for patient, rows in shown.items()
        for r, v in [zip(*rows, strict=True)]
    ]
    return facts or [Fact(action, detail=detail, query=query)]
