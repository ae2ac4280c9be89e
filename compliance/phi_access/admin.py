"""The access log as a screen: narrowed by patient, person, action and time; read-only, and reading it leaves a row."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.http import HttpRequest
from unfold.decorators import display

from compliance.phi_access import report
from compliance.phi_access.models import AccessEvent
from compliance.review.screens import AccessScreens
from healthrecords import trail
from healthrecords.console.filters import ChoiceFilter, TextFilter
from healthrecords.console.lines import Flag, Line
from healthrecords.console.minutes import minutes_of

ACTIONS = {
    "read": "Read", "search": "Search", "history": "History", "create": "Create", "update": "Change",
    "delete": "Delete", "denied": "Denied", "sign-in": "Sign-in", "sign-out": "Sign-out", "enrolment": "Enrolment",
    "factor-added": "Second factor added", "factor-removed": "Second factor removed", "recovery-code": "Recovery code",
    "step-up": "Confirmed again", "break-glass": "Emergency access", "session-ended": "Session ended",
    "token": "Access token", "app-allowed": "App allowed", "app-ended": "App ended", "launch": "App opened",  # nosec B105
    "revoke": "Token given up",
}  # fmt: skip


class PatientFilter(TextFilter):
    title, parameter_name, hint = "patient id", "patient", "Patient/…"

    def condition(self, request: HttpRequest, queryset: Any, text: str) -> Any:
        return queryset.filter(patient=text.removeprefix("Patient/"))


class PersonFilter(TextFilter):
    title, parameter_name, hint = "person or token", "actor", "Whole name"

    def condition(self, request: HttpRequest, queryset: Any, text: str) -> Any:
        return queryset.filter(Q(actor=text) | Q(actor_id=text))


class SinceFilter(TextFilter):
    title, parameter_name, hint = "since", "since", "2h, 7d or 2026-05-17"

    def condition(self, request: HttpRequest, queryset: Any, text: str) -> Any:
        """A time that cannot be read shows nothing rather than everything."""
        try:
            return queryset.filter(time__gte=report.since(text))
        except ValidationError:
            return queryset.none()


class ActionFilter(ChoiceFilter):
    title, parameter_name, column = "action", "action", "action"
    choices_offered = ACTIONS


@admin.register(AccessEvent)
class AccessEventAdmin(AccessScreens):
    """Who looked at or changed whose record."""

    subject = "Trail"
    list_title = "Access log"
    list_per_page = 50
    list_display = ["moment", "actor", "action", "patient", "what", "purpose"]
    list_filter = [PatientFilter, PersonFilter, ActionFilter, SinceFilter]
    ordering = ["-time", "-uuid"]

    @display(description="Time (UTC)")
    def moment(self, event: AccessEvent) -> str:
        return f"{event.time:%Y-%m-%d %H:%M:%S}"

    @display(description="Who")
    def actor(self, event: AccessEvent) -> str:
        return event.actor

    @display(description="Action")
    def action(self, event: AccessEvent) -> str:
        return ACTIONS.get(event.action, event.action)

    @display(description="Patient")
    def patient(self, event: AccessEvent) -> str:
        return event.patient or ""

    @display(description="What")
    def what(self, event: AccessEvent) -> str:
        shown = [each for each in event.resources if each != f"Patient/{event.patient}"]
        return ", ".join(shown[:3]) or event.resource_type

    @display(description="Purpose")
    def purpose(self, event: AccessEvent) -> str:
        return event.purpose

    def row_flags(self, record: AccessEvent) -> list[Flag]:
        return [] if record.outcome == "success" else [Flag(record.outcome.capitalize(), "grave")]

    def listed(self, request: HttpRequest, rows: list[Any], query: str) -> None:
        """One row for a look at the log, as the command leaves it."""
        self._note(request, "search", trail.Fact("search", detail=f"access log: {len(rows)} rows", query=query))

    def page_context(self, request: HttpRequest, record: AccessEvent) -> dict[str, Any]:
        self._note(request, "read", trail.Fact("read", resources=(f"AccessEvent/{record.pk}",), versions=(0,)))
        versions = zip(record.resources, record.versions, strict=False)
        shown = [Line("Resource", name, f"version {version}" if version else "") for name, version in versions]
        return {"sections": [("Event", _event(record)), ("Who", _who(record)), *([("What", shown)] if shown else [])]}

    def _note(self, request: HttpRequest, interaction: str, fact: trail.Fact) -> None:
        minutes_of(request).note(self.asked(request, interaction).to(interaction, "AccessEvent"), [fact])


def _event(event: AccessEvent) -> list[Line]:
    said = [
        ("Time (UTC)", f"{event.time:%Y-%m-%d %H:%M:%S}"), ("Action", ACTIONS.get(event.action, event.action)),
        ("Outcome", event.outcome), ("Patient", event.patient or ""), ("Searched for", str(event.query or "")),
        ("Detail", event.detail),
    ]  # fmt: skip
    return [Line(label, text) for label, text in said if text]


def _who(event: AccessEvent) -> list[Line]:
    said = [
        ("Name", event.actor), ("Kind", event.actor_kind), ("Id", event.actor_id), ("Roles", ", ".join(event.roles)),
        ("Purpose", event.purpose), ("Address", event.address), ("Request", event.request), ("Route", event.route),
    ]  # fmt: skip
    return [Line(label, text) for label, text in said if text]
