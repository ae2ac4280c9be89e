"""Fills the access socket: roles decide which interactions are open, consent which records are."""

from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from compliance.consent.decision import Ask
from compliance.consent.predicate import BY_ROLE_ALONE, Permits, TargetsPermit, Untouched
from healthrecords.access.policy import Versions
from healthrecords.access.request import LETTERS, AccessRequest, Decision
from healthrecords.fhir.resource import is_directory, resource_of
from healthrecords.provenance.models import Provenance
from healthrecords.records import Record, RecordQuerySet

# What is opened by the letters of another subject.
OPENED_BY = {"AuditEvent": "Trail"}

# Every record has its current version. Said so, the join is an inner one, for which PostgreSQL counts what the filter
# costs: over an outer one it filters and sorts all rows of a table for a page of fifty.
JOINED = {"current__isnull": False}


class RolePolicy:
    """Permits what one of the actor's roles permits; where none does, denies. Consent narrows what is shown."""

    def permit(self, request: AccessRequest) -> Decision:
        letter = LETTERS.get(request.interaction)
        subject = (
            "Directory"
            if is_directory(request.resource_type)
            else OPENED_BY.get(request.resource_type, request.resource_type)
        )
        if letter and any(letter in granted.get(subject, "") for granted in request.actor.permissions):
            return Decision(True)
        return Decision(False, f"no role of this {request.actor.kind} permits {request.interaction} of {subject}")

    def visible(self, queryset: RecordQuerySet, request: AccessRequest) -> RecordQuerySet:
        model: type[Record] = queryset.model
        kind = resource_of(model).name
        if _by_role_alone(kind):
            return queryset
        ask = Ask.of(request, timezone.now())
        seen = queryset.filter(Permits("current__patients", "current__labels", kind, ask), **JOINED)
        return seen.filter(TargetsPermit("uuid", ask)) if queryset.model is Provenance else seen

    def untouched(self, queryset: RecordQuerySet, purpose: str) -> RecordQuerySet:
        model: type[Record] = queryset.model
        if _by_role_alone(resource_of(model).name):
            return queryset
        return queryset.filter(Untouched("current__patients", purpose), **JOINED)

    def visible_versions(self, queryset: Versions, request: AccessRequest) -> Versions:
        if _by_role_alone(request.resource_type):
            return queryset
        ask = Ask.of(request, timezone.now())
        seen = queryset.filter(Permits("patients", "labels", request.resource_type, ask))
        if request.resource_type != "Provenance":
            return seen
        # Which records an earlier version told of is sealed in it: with a consent, only the present one is shown.
        present = Exists(Provenance.objects.filter(current=OuterRef("pk")))
        return seen.filter(present | Q(Untouched("patients", ask.purpose)))


def _by_role_alone(kind: str) -> bool:
    """Whether consent has no say about records of a type."""
    return is_directory(kind) or kind in BY_ROLE_ALONE
