"""Fills the access socket: roles decide which interactions are open; consent joins them in `visible` later."""

from healthrecords.access.request import LETTERS, AccessRequest, Decision
from healthrecords.records import RecordQuerySet

DIRECTORY = frozenset({"Organization", "Practitioner", "PractitionerRole", "Location"})


class RolePolicy:
    """Permits what one of the actor's roles permits; where none does, denies."""

    def permit(self, request: AccessRequest) -> Decision:
        letter = LETTERS.get(request.interaction)
        subject = "Directory" if request.resource_type in DIRECTORY else request.resource_type
        if letter and any(letter in granted.get(subject, "") for granted in request.actor.permissions):
            return Decision(True)
        return Decision(False, f"no role of this {request.actor.kind} permits {request.interaction} of {subject}")

    def visible(self, queryset: RecordQuerySet, request: AccessRequest) -> RecordQuerySet:
        return queryset
