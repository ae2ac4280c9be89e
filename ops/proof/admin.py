"""The console's page of backups: a timeline, what is proven, two buttons, and the command for a chosen moment."""

from collections.abc import Callable
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
from healthrecords.schedule import LONG
from healthrecords.trail import Fact
from ops.backup import tasks as backups
from ops.proof import tasks as proof

from . import publishing, timeline
from .models import Backups
from .moments import Choice

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
        ways: dict[str, tuple[str, Callable[[], Any]]] = {
            "backup": ("backup database", lambda: _later(backups.database, "full", by=person.name)),
            "test": ("backup test", lambda: _later(proof.prove, by=person.name)),
        }
        if way := ways.get(request.POST.get("do", "")):
            minutes_of(request).note(self.asked(request, "create"), [Fact("command", detail=f"console: {way[0]}")])
            way[1]()
            messages.success(request, STARTED)
        return HttpResponseRedirect(request.path)


def _later(task: Any, *args: str, **options: str) -> None:
    task.apply_async(args, options, queue=LONG, expires=6 * 3600)
