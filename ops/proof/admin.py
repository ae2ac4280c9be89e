"""The console's page of backups: a timeline, what is proven, two buttons, and the command for a chosen moment."""

from datetime import UTC, datetime
from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse

from healthrecords.access.policy import permit
from healthrecords.accounts import stepup
from healthrecords.console.minutes import asked_of, minutes_of
from healthrecords.console.notices import Notice
from healthrecords.console.policy_admin import PolicyAdmin
from healthrecords.schedule import BY_NAME
from healthrecords.trail import Fact
from ops.schedule.tasks import hand_out

from . import publishing, timeline
from .models import Backups
from .moments import Choice

# What a button does: the command that it is, and the job of the timetable that a worker runs for it.
WAYS = {"backup": ("backup database", "backup-full"), "test": ("backup test", "backup-test")}
STARTED = "It was handed to the worker of long work, and shows here when it has ended."


def notices(request: HttpRequest) -> list[Notice]:
    """What operators should mind of the backups, on every page (CONSOLE_NOTICES)."""
    if not permit(asked_of(request, "create", "Backup")).permitted:
        return []
    said = " ".join(publishing.notices())
    return [Notice(said, address=reverse("admin:ops_backups_changelist"), link="See the backups")] if said else []


@admin.register(Backups)
class BackupsAdmin(PolicyAdmin):
    """One page; nothing of it is changed but by its buttons."""

    subject = "Backup"

    def screens(self) -> dict[str, tuple[str, Any]]:
        return {"changelist": ("", self.changelist_view)}

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Show what there is; by POST take a backup or test one."""
        self.require(request, "search" if request.method in ("GET", "HEAD") else "create")
        if request.method == "POST":
            return self._begin(request)
        found = Backups.published()
        context = {
            **self.admin_site.each_context(request),
            "title": "Backups",
            "found": timeline.shown(found, datetime.now(UTC)) if found else None,
            "choice": Choice.of(request.GET, found),
            "may_begin": self.permits(request, "create"),
        }
        return TemplateResponse(request, "ops/backups.html", context)

    def _begin(self, request: HttpRequest) -> Any:
        """Hand the work to the queue after a fresh second factor; what it does, it records itself, by this name."""
        if asked := stepup.ask(request):
            return asked
        person: Any = request.user
        command, job = WAYS.get(request.POST.get("do", ""), ("", ""))
        if job:
            minutes_of(request).note(self.asked(request, "create"), [Fact("command", detail=f"console: {command}")])
            hand_out(BY_NAME[job], person.name)
            messages.success(request, STARTED)
        return HttpResponseRedirect(request.path)
