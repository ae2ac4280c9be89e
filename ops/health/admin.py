"""The console's page of health: how every check stood when the timetable asked it last."""

from itertools import groupby
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from healthrecords.console.policy_admin import PolicyAdmin
from healthrecords.schedule import JOBS

from .looking import LOOK
from .models import HealthState
from .registry import checks

TITLES = {
    "database": "Database", "cache": "Cache and queue", "processes": "Processes", "external": "What it leans on",
    "monitoring": "Monitoring", "trail": "Audit trail", "host": "Machine", "integrity": "Integrity, each week",
}  # fmt: skip


@admin.register(HealthState)
class HealthStateAdmin(PolicyAdmin):
    """One page; nothing is changed here."""

    subject = "Operations"

    def screens(self) -> dict[str, tuple[str, Any]]:
        return {"changelist": ("", self.changelist_view)}

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Show every check by its group, those that found something wrong first."""
        self.require(request, "search")
        order = list(checks())
        found = [each for each in HealthState.objects.all() if each.check_name in order]
        states = sorted(found, key=lambda each: (list(TITLES).index(each.group), order.index(each.check_name)))
        context = {
            **self.admin_site.each_context(request),
            "title": "Health",
            "groups": [(TITLES[name], list(rows)) for name, rows in groupby(states, key=lambda each: each.group)],
            "wrong": [each for each in states if each.state == "problem"],
            "asked": max((each.asked_at for each in states), default=None),
            "job": next(job for job in JOBS if job.name == LOOK),
        }
        return TemplateResponse(request, "ops/health.html", context)
