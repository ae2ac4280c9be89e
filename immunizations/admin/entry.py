"""Recording several vaccines at once: at a visit, or from an older record. All lines are stored, or none."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.utils import timezone
from uuid6 import uuid7

from healthrecords.console.minutes import minutes_of
from healthrecords.console.policy_admin import PolicyAdmin
from healthrecords.console.record_admin import RecordAdmin
from healthrecords.directory.models import Location, Practitioner
from healthrecords.fhir import store
from healthrecords.fhir.acceptance import refuse_invalid
from healthrecords.fhir.outcome import FHIRError
from immunizations.admin import bodies, offers
from immunizations.admin import entry_forms as f
from immunizations.codes import lookup
from immunizations.codes.scanning import scan
from immunizations.models import Immunization
from patients.admin.page import birth
from patients.models import Patient

JSON = dict[str, Any]
REMEMBERED = ("location", "performer")  # from one visit to the next, in the session


@dataclass(frozen=True)
class Kind:
    """One way to enter vaccines: its forms, what becomes of a line, and its page."""

    once: type[f.OnceForm]
    line: type[f.VaccineForm]
    body: Callable[..., JSON]
    title: str
    name: str
    scan_label: str
    scan_hint: str
    offers_query: str = "?q="

    @property
    def template(self) -> str:
        """The page."""
        return f"immunizations/{self.name}.html"

    @property
    def line_template(self) -> str:
        """One line of the page."""
        return f"immunizations/{self.name}_line.html"


VISIT = Kind(
    f.VisitForm, f.LineForm, bodies.given, "Record vaccines", "visit", "Scan a barcode, or type a trade name",
    "A scan fills a line by itself; of names, choose with the arrow keys.",
)  # fmt: skip
REPORT = Kind(
    f.ReportForm, f.EarlierForm, bodies.reported, "Add earlier doses", "report",
    "Type the name of a vaccine or product", "Choose with the arrow keys.", "?all=1&q=",
)  # fmt: skip


class EntryScreens(RecordAdmin):
    """The screens for entering vaccines of one patient, and the questions that their fields ask."""

    def entry_screens(self) -> dict[str, tuple[str, Any]]:
        """Their addresses and views."""
        return {
            "visit": ("visit/<str:object_id>/", self.visit_view),
            "report": ("report/<str:object_id>/", self.report_view),
            "scan": ("scan/", self.scan_view),
            "offers": ("offers/", self.offers_view),
        }

    def visit_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Vaccines given at a visit here."""
        return self._entry(request, object_id, VISIT)

    def report_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Vaccines given elsewhere or earlier, as somebody reports them."""
        return self._entry(request, object_id, REPORT)

    def scan_view(self, request: HttpRequest) -> JsonResponse:
        """What a barcode fills into a line."""
        PolicyAdmin.require(self, request, "create")
        text = request.GET.get("text", "")[:500]
        return JsonResponse(offers.of_scan(scan(text, timezone.localdate()), text))

    def offers_view(self, request: HttpRequest) -> JsonResponse:
        """Lots in stock and products by the beginnings of words; `all`: vaccines, `products`: no lots."""
        PolicyAdmin.require(self, request, "create")
        text, every, shelf = request.GET.get("q", "")[:100], "all" in request.GET, "products" not in request.GET
        found = offers.of_text(text, lookup.current(), timezone.localdate(), every, shelf and not every)
        return JsonResponse({"offers": found})

    def _entry(self, request: HttpRequest, key: str, kind: Kind) -> HttpResponse:
        people: Any = admin.site.get_model_admin(Patient)
        try:
            self.require(request, "create")
        finally:
            minutes_of(request).target = people.target(key)
        patient = self._patient(request, people, key)
        once, lines = self._forms(request, kind)
        valid = request.method == "POST" and _are_valid(once, lines)
        if valid and (self._is_saved(once) or self._saved(request, kind, patient, once, lines)):
            return HttpResponseRedirect(people.address("page", patient.pk))
        people.note(request, "read", [patient])
        context = {
            "title": kind.title, "subtitle": f"{patient}, born {birth(patient)}", "once": once, "lines": lines,
            "patient_address": people.address("page", patient.pk), "scan_address": self.address("scan"),
            "offers_address": self.address("offers"), "media": once.media + lines.media,
            "line_template": kind.line_template, "scan_label": kind.scan_label, "scan_hint": kind.scan_hint,
            "offers_query": kind.offers_query,
        }  # fmt: skip
        return self.page(request, kind.template, patient, context)

    def _patient(self, request: HttpRequest, people: Any, key: str) -> Patient:
        """The patient, locked while an entry is saved, so that sending it twice stores it once."""
        rows = people.visible(request, "read")
        found: Patient = people._found(rows.select_for_update(of=("self",)) if request.method == "POST" else rows, key)
        return found

    def _forms(self, request: HttpRequest, kind: Kind) -> tuple[Any, Any]:
        data = request.POST if request.method == "POST" else None
        options: Any = {"choices": self._choices(request)} if kind is VISIT else {}
        once = kind.once(data, initial=self._initial(request, kind), **options)
        lines = f.lines_of(kind.line)(data, prefix="lines")
        if kind is VISIT and once.is_bound and once.is_valid():
            for line in lines.forms:
                line.given_on = once.cleaned_data["given_on"]
        return once, lines

    def _choices(self, request: HttpRequest) -> JSON:
        screens: dict[str, Any] = {"location": Location, "performer": Practitioner}
        return {
            name: admin.site.get_model_admin(model).visible(request, "search")  # type: ignore[attr-defined]
            for name, model in screens.items()
        }

    def _initial(self, request: HttpRequest, kind: Kind) -> JSON:
        initial: JSON = {"entry": uuid7()}
        if kind is REPORT:
            return {**initial, "origin": "record"}
        today, kept = timezone.localdate().isoformat(), request.session.get("visit", {})
        performer = _own_entry(request.user) or kept.get("performer")
        return {
            **initial, "given_on": today, "statement_on": today, "location": kept.get("location"),
            "performer": performer,
        }  # fmt: skip

    def _is_saved(self, once: Any) -> bool:
        """Whether this entry was saved before: its page was sent twice."""
        return Immunization.objects.filter(logical_id=_id(once.cleaned_data["entry"], 0)).exists()

    def _saved(self, request: HttpRequest, kind: Kind, patient: Patient, once: Any, lines: Any) -> bool:
        """Store all lines; False when the server's validation refuses one, which the form then tells."""
        bodies_made = bodies_of(kind, patient, once.cleaned_data, lines.filled(), timezone.now())
        try:
            changes = [self._change(body, _id(once.cleaned_data["entry"], n)) for n, body in enumerate(bodies_made)]
        except FHIRError as fault:
            for issue in fault.issues:
                once.add_error(None, f"This cannot be stored: {issue.text} ({issue.path})")
            return False
        store.write(self.resource, changes, self.asked(request, "create").actor)
        self.note(request, "create", [change.record for change in changes])
        self._remember(request, once.cleaned_data)
        count = len(changes)
        messages.success(request, "The vaccine was recorded." if count == 1 else f"{count} vaccines were recorded.")
        return True

    def _change(self, body: JSON, logical_id: str) -> store.Change:
        refuse_invalid(self.resource, body)
        return store.Change(store.draft_of(self.resource, body, logical_id))

    def _remember(self, request: HttpRequest, visit: JSON) -> None:
        kept = {name: visit[name].logical_id for name in REMEMBERED if visit.get(name)}
        request.session["visit"] = {**request.session.get("visit", {}), **kept}


def bodies_of(kind: Kind, patient: Patient, once: JSON, lines: list[JSON], now: datetime) -> list[JSON]:
    """The resources that an entry makes, in the order of its lines."""
    catalog = lookup.current()
    return [kind.body(patient.logical_id, once, line, catalog, now) for line in lines]


def _are_valid(once: Any, lines: Any) -> bool:
    """Look at both, so that all faults show at once."""
    return bool(once.is_valid() & lines.is_valid())


def _id(entry: Any, place: int) -> str:
    """The logical id of a line: the entry's, numbered."""
    return f"{entry}-{place}"


def _own_entry(person: Any) -> str | None:
    """The practitioner that the signed-in person is, by their e-mail address in the directory; None if not just one."""
    everybody: Any = Practitioner.objects
    mine = everybody.live().filter(telecoms__system="email", telecoms__value__iexact=person.email)
    found = list(mine.values_list("logical_id", flat=True).distinct()[:2])
    return found[0] if len(found) == 1 else None
