"""The console's pages of jobs: how each stands beside its objective, its runs, and a button to run it now."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.contrib import admin, messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from kombu.exceptions import OperationalError

from healthrecords.access.policy import permit
from healthrecords.accounts import stepup
from healthrecords.cli import counted
from healthrecords.console.glances import Glance
from healthrecords.console.minutes import asked_of, minutes_of
from healthrecords.console.policy_admin import GONE, PolicyAdmin
from healthrecords.trail import Fact
from ops.monitoring.history.chart import said
from ops.runs import Run

from . import tasks
from .judging import INTERRUPTED, LATE, LONG
from .models import Standing
from .status import Stands, all_jobs, processes

RUNS = 25  # on the page of a job
WORDS = {
    LATE: "Late", LONG: "Takes too long", "error": "Failed", "problem": "Found a problem",
    INTERRUPTED: "Interrupted",
}  # fmt: skip


def glances(request: HttpRequest) -> Iterator[Glance]:
    """How many jobs are in trouble, for the home page (CONSOLE_GLANCES)."""
    if not permit(asked_of(request, "search", "Operations")).permitted:
        return
    now = timezone.now()
    wrong = sum(bool(each.trouble) for each in all_jobs(now))
    silent = [each["process"] for each in processes(now) if each["silent"]]
    text = f"Silent: {', '.join(silent)}" if silent else f"{counted(wrong, 'job')} in trouble" if wrong else "On time"
    state = "grave" if silent or wrong else "good"
    yield Glance("Scheduled jobs", text, reverse("admin:ops_standing_changelist"), state)


@admin.register(Standing)
class StandingAdmin(PolicyAdmin):
    """A list of all jobs, and a page for each with its runs; the timetable itself is code."""

    subject = "Operations"

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Show every job, those in trouble first, and who lives."""
        self.require(request, "search")
        now = timezone.now()
        jobs = sorted(all_jobs(now), key=lambda each: not each.trouble)
        context = {
            **self.admin_site.each_context(request),
            "title": "Scheduled jobs",
            "processes": [{**each, "ago": said(each["heard"], "s")} for each in processes(now)],
            "jobs": [_row(each) for each in jobs],
            "wrong": sum(bool(each.trouble) for each in jobs),
        }
        return TemplateResponse(request, "ops/schedule.html", context)

    def page_view(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        """Show a job and its runs; by POST have a worker run it now."""
        asked = "read" if request.method in ("GET", "HEAD") else "update"
        self.require(request, asked, object_id)
        stands = next((each for each in all_jobs(timezone.now()) if each.job.name == object_id), None)
        if stands is None:
            raise Http404(GONE)
        if request.method == "POST":
            return (stepup.ask(request) if stands.job.guarded else None) or self._run(request, stands)
        runs = Run.objects.filter(job=object_id)[:RUNS]
        context = {
            **_row(stands),
            "lateness": said(stands.job.lateness.total_seconds(), "s"),
            "runs": [(run, run.ended - timedelta(seconds=run.seconds), _took(run.seconds)) for run in runs],
            "may_run": self.permits(request, "update"),
        }
        return self.page(request, "ops/job.html", stands.known, context)

    def _run(self, request: HttpRequest, stands: Stands) -> HttpResponse:
        """Hand the job to its worker, for this person."""
        job, person = stands.job, request.user
        minutes_of(request).note(self.asked(request, "update"), [Fact("command", detail=f"console: run {job.name}")])
        try:
            tasks.hand_out(job, getattr(person, "name", ""))
        except OperationalError:
            messages.error(request, "The queue does not answer, so that no worker can be asked.")
        else:
            messages.success(request, "It was handed to its worker, and shows here when it has begun.")
        return HttpResponseRedirect(request.path)


def _row(stands: Stands) -> dict[str, Any]:
    """What the templates show of a job."""
    known = stands.known
    return {
        "job": stands.job,
        "known": known,
        "turn": stands.turn,
        "late": stands.trouble == LATE,
        "trouble": WORDS.get(stands.trouble, ""),
        "last": {"": "None yet", "good": "Good"}.get(known.outcome) or WORDS[known.outcome],
        "took": _took(known.seconds),
        "objective": said(stands.job.objective.total_seconds(), "s"),
        "over": known.seconds is not None and known.seconds > stands.job.objective.total_seconds(),
    }


def _took(seconds: float | None) -> str:
    return "" if seconds is None else "under 0.1 s" if seconds < 0.1 else said(seconds, "s")
