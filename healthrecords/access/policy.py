"""The socket of the access policy. The kernel asks; the compliance app answers; an empty socket denies."""

from functools import cache
from typing import Protocol

from django.conf import settings
from django.db.models import QuerySet
from django.utils.module_loading import import_string

from healthrecords import accessmetrics
from healthrecords.oauth import narrowing
from healthrecords.records import Record, RecordQuerySet, RecordVersion

from . import acting
from .request import AccessRequest, Decision

Versions = QuerySet[RecordVersion]


class AccessPolicy(Protocol):
    """What fills the socket `ACCESS_POLICY`."""

    def permit(self, request: AccessRequest) -> Decision:
        """Whether this interaction on this type of resource is open to the actor at all."""
        ...

    def visible(self, queryset: RecordQuerySet, request: AccessRequest) -> RecordQuerySet:
        """The rows of `queryset` that the asker may see."""
        ...

    def untouched(self, queryset: RecordQuerySet, purpose: str) -> RecordQuerySet:
        """Rows that whoever may read the type sees for this purpose, told by a condition that is quick to plan."""
        ...

    def visible_versions(self, queryset: Versions, request: AccessRequest) -> Versions:
        """The versions that the asker may see, whatever the record is like now."""
        ...


class NoPolicy:
    """Denies everything: what an empty socket means."""

    def permit(self, request: AccessRequest) -> Decision:
        return Decision(False, "no access policy is configured")

    def visible(self, queryset: RecordQuerySet, request: AccessRequest) -> RecordQuerySet:
        return queryset.none()

    def untouched(self, queryset: RecordQuerySet, purpose: str) -> RecordQuerySet:
        return queryset.none()

    def visible_versions(self, queryset: Versions, request: AccessRequest) -> Versions:
        return queryset.none()


@cache
def policy() -> AccessPolicy:
    """The policy in force."""
    path = getattr(settings, "ACCESS_POLICY", "")
    return import_string(path)() if path else NoPolicy()


def permit(request: AccessRequest) -> Decision:
    """Ask whether the interaction is open to the actor at all (403 when not): scopes only narrow what roles permit."""
    if not narrowing.is_open(request):
        return Decision(False, f"no scope opens it; {narrowing.lacking(request)} would")
    return policy().permit(request)


def visible(queryset: RecordQuerySet, request: AccessRequest) -> RecordQuerySet:
    """Narrow `queryset` to what the asker may see; nothing when the interaction is not permitted."""
    acting.consult()
    if not permit(request).permitted:
        return queryset.none()
    return policy().visible(narrowing.narrow(queryset, request), request)


def untouched(queryset: RecordQuerySet, purpose: str) -> RecordQuerySet:
    """Narrow `queryset` to rows that nothing hides from anybody who may read the type; the others need `visible`."""
    return policy().untouched(queryset, purpose)


def visible_versions(queryset: Versions, request: AccessRequest) -> Versions:
    """Narrow versions of records that may be seen as they are now to those that may be seen as they were then."""
    acting.consult()
    return policy().visible_versions(narrowing.narrow_versions(queryset, request), request)


def note_withheld(model: type[Record], **key: str) -> None:
    """Count a record that is there though `visible` did not give it: for the figures alone, the answer stays 404."""
    if model._default_manager.filter(deleted_at=None, **key).exists():
        accessmetrics.withheld()


def decide(record: Record, request: AccessRequest) -> Decision:
    """Ask about one record, by the same predicate as lists."""
    found = visible(type(record).objects.filter(pk=record.pk), request).exists()
    return Decision(found, "" if found else "not visible to this actor")
