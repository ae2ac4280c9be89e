"""Fills the access socket: roles decide which interactions are open; consent joins them in `visible` later."""

from healthrecords.access.request import LETTERS, AccessRequest, Decision
from healthrecords.fhir.resource import is_directory
from healthrecords.records import RecordQuerySet

# What is opened by the letters of another subject.
OPENED_BY = {"AuditEvent": "Trail"}


class RolePolicy:
    """Permits what one of the actor's roles permits; where none does, denies."""

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
        return queryset
