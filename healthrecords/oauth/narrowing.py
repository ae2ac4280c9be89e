"""What the scopes of an actor leave of what its roles permit: each interaction, each row, each version."""

from collections.abc import Iterable, Iterator
from functools import reduce
from operator import and_, or_

from django.db.models import Exists, OuterRef, Q, QuerySet

from healthrecords.access.request import LETTERS, AccessRequest
from healthrecords.fhir import capability
from healthrecords.fhir.resource import Resource, is_directory, registry
from healthrecords.fhir.search import terms
from healthrecords.fhir.search.faults import BadSearch
from healthrecords.records import Record, RecordQuerySet, RecordVersion

from .scopes import ANY, BadScope, Scope

LOOKS = frozenset("rs")
CONTENT = "Binary"  # no record, but opened by the documents that point to it


def refuse_unsupported(scopes: Iterable[Scope]) -> None:
    """Raise BadScope, naming the scope, for a type that is not served and for a constraint that no search may use."""
    for scope in scopes:
        if scope.kind != ANY and scope.kind not in capability.types():
            raise BadScope(f"'{scope}' names {scope.kind}, which this server does not have.")
        try:
            _constrained(scope)
        except BadSearch as fault:
            raise BadScope(f"'{scope}' cannot be kept: {fault}") from None


def is_open(asked: AccessRequest) -> bool:
    """Whether the actor's scopes open this interaction on this type at all."""
    return asked.actor.scopes is None or any(opening(asked))


def lacking(asked: AccessRequest) -> str:
    """The scope that the actor would need for this interaction, as version 2 writes it."""
    levels = [scope.level for scope in asked.actor.scopes or ()]
    level = levels[0] if levels else "system"
    return f"{level}/{asked.resource_type}.{LETTERS.get(asked.interaction, '')}"


def narrow(rows: RecordQuerySet, asked: AccessRequest) -> RecordQuerySet:
    """The rows that the scopes open; `rows` itself where they open all."""
    if asked.actor.scopes is None:
        return rows
    conditions = [_rows(scope, rows.model, asked) for scope in opening(asked)]
    if None in conditions:
        return rows
    return rows.filter(reduce(or_, filter(None, conditions))) if conditions else rows.none()


def narrow_versions(versions: "QuerySet[RecordVersion]", asked: AccessRequest) -> "QuerySet[RecordVersion]":
    """The versions that the scopes open, of records that they open as they are now.

    A constraint is a search, and searches know records as they are: under one, only the present version is shown.
    """
    if asked.actor.scopes is None:
        return versions
    conditions = [_versions(scope, asked) for scope in opening(asked)]
    if None in conditions:
        return versions
    return versions.filter(reduce(or_, filter(None, conditions))) if conditions else versions.none()


def holds(record: Record, asked: AccessRequest) -> bool:
    """Whether a record, as it was just written, is one that the scopes open for this interaction."""
    rows = type(record).objects.all()
    left = narrow(rows, asked)
    return left is rows or left.filter(pk=record.pk).exists()


def opening(asked: AccessRequest) -> Iterator[Scope]:
    """The actor's scopes that open the interaction on the type."""
    letter, kind = LETTERS.get(asked.interaction), asked.resource_type
    for scope in asked.actor.scopes or ():
        if letter and letter in scope.letters and scope.names(kind) and _is_kept(scope, asked, letter):
            yield scope


def _is_kept(scope: Scope, asked: AccessRequest, letter: str) -> bool:
    """Whether what the scope narrows to can be kept for this type: what is no record has rows that nothing narrows.

    A directory is nobody's: a patient's scope opens it to looks alone, and only by name.
    """
    kind, narrows = asked.resource_type, scope.level == "patient"
    if narrows and not asked.actor.launch_patient:
        return False
    if kind not in registry():
        return not scope.constraint and (kind == CONTENT or not narrows)
    return not (narrows and is_directory(kind)) or (scope.kind != ANY and letter in LOOKS)


def _rows(scope: Scope, model: type[Record], asked: AccessRequest) -> Q | None:
    """The condition on the rows that a scope opens; None for all."""
    conditions = _constrained(scope)
    if _is_patients(scope, asked):
        conditions.append(model.about(asked.actor.launch_patient or ""))
    return reduce(and_, conditions) if conditions else None


def _versions(scope: Scope, asked: AccessRequest) -> Q | None:
    if scope.constraint:
        model = registry()[asked.resource_type].model
        return Q(Exists(model.objects.filter(current=OuterRef("pk"))))
    return Q(patients=[asked.actor.launch_patient]) if _is_patients(scope, asked) else None


def _is_patients(scope: Scope, asked: AccessRequest) -> bool:
    return scope.level == "patient" and not is_directory(asked.resource_type)


def _constrained(scope: Scope) -> list[Q]:
    """The conditions of the constraint; raise BadSearch for what the type's search does not know."""
    if not scope.constraint:
        return []
    resource: Resource | None = registry().get(scope.kind)
    if resource is None:
        raise BadSearch(f"{scope.kind} has no search parameters.")
    return [Q(terms.condition(resource, name, value)) for name, value in scope.constraint]
