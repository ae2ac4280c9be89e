"""Who saw this patient, and whom did this person see: two screens of the access log, each with its file."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseBase, QueryDict
from django.template.response import TemplateResponse

from compliance.phi_access import report
from compliance.review import accesses
from compliance.review.accesses import Access
from healthrecords.access.request import AccessRequest
from healthrecords.accounts import stepup
from healthrecords.console.exports import ExportableAdmin

TITLES = ("Who", "Roles", "Patient", "Times", "First (UTC)", "Last (UTC)", "Actions", "Purposes", "Denied")


@dataclass(frozen=True)
class Question:
    """One of the two questions: its words, how what was typed is understood, and where the answer comes from."""

    title: str
    label: str
    hint: str
    about: str  # the filter of the access log that shows the events
    understood: Callable[[str], str]
    answer: Callable[[str, datetime | None, AccessRequest], list[Access]]


QUESTIONS = {
    "patient": Question(
        "Who saw this patient", "Patient", "Id or record number", "patient", accesses.patient_named, accesses.who_saw
    ),
    "person": Question(
        "What this person saw", "Person, token or client", "E-mail, name or id", "actor", accesses.person_named,
        accesses.seen_by,
    ),
}  # fmt: skip


class AccessScreens(ExportableAdmin):
    """The screens, for whoever may read the access log."""

    def screens(self) -> dict[str, tuple[str, Any]]:
        mine = {
            "patient": ("patient/", self.patient_view),
            "person": ("person/", self.person_view),
            "patient_file": ("patient/export.csv", self.patient_file),
            "person_file": ("person/export.csv", self.person_file),
        }
        return {**mine, **super().screens()}

    def patient_view(self, request: HttpRequest) -> HttpResponse:
        """Everybody who saw a patient."""
        return self._answered(request, "patient")

    def person_view(self, request: HttpRequest) -> HttpResponse:
        """Every patient whom a person saw."""
        return self._answered(request, "person")

    def patient_file(self, request: HttpRequest) -> HttpResponseBase:
        """Everybody who saw a patient, as CSV."""
        return self._file(request, "patient")

    def person_file(self, request: HttpRequest) -> HttpResponseBase:
        """Every patient whom a person saw, as CSV."""
        return self._file(request, "person")

    def _answered(self, request: HttpRequest, which: str) -> HttpResponse:
        self.require(request, "search")
        question, wanted, fault = QUESTIONS[which], request.GET.get("q", "")[:200], ""
        named = ""
        rows: list[Access] = []
        try:
            named, rows = self._ask(request, question, wanted)
        except ValidationError as wrong:
            fault = " ".join(wrong.messages)
        context = {
            **self.admin_site.each_context(request), "title": question.title, "question": question, "wanted": wanted,
            "since": request.GET.get("since", ""), "fault": fault, "named": named, "most": accesses.MOST,
            "rows": [self._told(row, which) for row in rows], "asked": bool(wanted and not fault),
            "file_address": f"{self.address(which + '_file')}?{request.GET.urlencode()}" if rows else "",
        }  # fmt: skip
        return TemplateResponse(request, "compliance/accesses.html", context)

    def _file(self, request: HttpRequest, which: str) -> HttpResponseBase:
        self.require(request, "search")
        if asked := stepup.ask(request):
            return asked
        question = QUESTIONS[which]
        _, rows = self._ask(request, question, request.GET.get("q", "")[:200])
        return self.as_file(request, question.title.lower(), TITLES, [_cells(row) for row in rows])

    def _ask(self, request: HttpRequest, question: Question, wanted: str) -> tuple[str, list[Access]]:
        if not wanted.strip():
            return "", []
        named = question.understood(wanted)
        since = report.since(request.GET.get("since", "").strip())
        return named, question.answer(named, since, self.asked(request, "search"))

    def _told(self, row: Access, which: str) -> dict[str, Any]:
        """A row with the addresses of its events and of the opposite question."""
        events, other = QueryDict(mutable=True), QueryDict(mutable=True)
        events.update({"patient": row.patient, "actor": row.actor_id})
        other["q"] = row.actor_id if which == "patient" else row.patient
        opposite = self.address("person" if which == "patient" else "patient")
        return {
            "row": row, "events": f"{self.address('changelist')}?{events.urlencode()}",
            "other": f"{opposite}?{other.urlencode()}", "name": row.actor if which == "patient" else row.patient,
        }  # fmt: skip


def _cells(row: Access) -> list[Any]:
    times = (f"{time:%Y-%m-%d %H:%M:%S}" for time in (row.first_at, row.last_at))
    listed = (", ".join(each) for each in (row.actions, row.purposes))
    return [row.actor, ", ".join(row.roles), row.patient, row.count, *times, *listed, row.denied]
