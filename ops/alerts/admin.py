"""Alerts in the console: those that are open first, each with where it comes from and what to do about it."""

from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from unfold.decorators import display

from healthrecords.access.policy import permit
from healthrecords.console.filters import ChoiceFilter
from healthrecords.console.glances import Glance
from healthrecords.console.lines import Flag, Line
from healthrecords.console.minutes import asked_of
from healthrecords.console.policy_admin import PolicyAdmin
from healthrecords.notify.admin import FLAGS, SeverityFilter, when
from healthrecords.notify.models import Severity

from .models import Alert, Watchdog


class OpenFilter(ChoiceFilter):
    title, parameter_name = "state", "state"
    choices_offered = {"open": "Open", "over": "Over"}
    conditions = {"open": {"ended_at": None}, "over": {"ended_at__isnull": False}}


@admin.register(Alert)
class AlertAdmin(PolicyAdmin):
    """What Prometheus found, by way of Alertmanager."""

    subject = "Operations"
    list_per_page = 50
    page_template = "ops/alert.html"
    change_list_template = "ops/alerts.html"
    list_display = ["title", "severity", "state", "started", "where"]
    list_filter = [OpenFilter, SeverityFilter]

    @display(description="Alert")
    def title(self, alert: Alert) -> str:
        return alert.name

    @display(description="Severity")
    def severity(self, alert: Alert) -> str:
        return Severity(alert.severity).label

    @display(description="State")
    def state(self, alert: Alert) -> str:
        return f"Over since {when(alert.ended_at)}" if alert.ended_at else "Open"

    @display(description="Began")
    def started(self, alert: Alert) -> str:
        return when(alert.started_at)

    @display(description="Where")
    def where(self, alert: Alert) -> str:
        return ", ".join(alert.labels[name] for name in ("job", "instance", "queue") if name in alert.labels)

    def row_flags(self, record: Alert) -> list[Flag]:
        return [] if record.ended_at else [Flag("Open", FLAGS[Severity(record.severity)])]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        return super().changelist_view(request, {"heard_at": Watchdog.last_heard()})

    def page_context(self, request: HttpRequest, record: Alert) -> dict[str, Any]:
        about = [
            Line("Summary", record.summary), Line("Severity", self.severity(record)), Line("State", self.state(record)),
            Line("Began", self.started(record)), Line("Last heard", when(record.heard_at)),
            Line("What to do", record.runbook, address=record.runbook if record.runbook.startswith("https://") else ""),
        ]  # fmt: skip
        labels = [Line(name, value) for name, value in sorted(record.labels.items())]
        sections = [("Alert", [each for each in about if each.text]), ("Labels", labels)]
        return {"sections": [each for each in sections if each[1]]}


def glance(request: HttpRequest) -> Iterator[Glance]:
    """How many alerts are open, on the home page."""
    if not permit(asked_of(request, "search", "Operations")).permitted:
        return
    found = list(Alert.objects.filter(ended_at=None).values_list("severity", flat=True))
    state = "grave" if Severity.CRITICAL in found else "caution" if Severity.WARNING in found else "good"
    note = "" if Watchdog.last_heard() else "no Alertmanager was heard yet"
    text = f"{len(found)} open" if found else "None open"
    yield Glance("Alerts", text, reverse("admin:ops_alert_changelist"), state, note)
