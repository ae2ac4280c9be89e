"""The screens of consents: list, page, entry with its preview, paper, revocation, and the mark that it binds by law."""

from datetime import timedelta
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.utils import timezone
from django.views.decorators.http import require_POST
from unfold.decorators import display

from compliance.consent import paper, preview, words
from compliance.consent.covering import nodes_of
from compliance.consent.models import AbsoluteMark, Consent, Status
from compliance.consent.provisions import read
from compliance.consent.screens.forms import ConsentForm
from compliance.review.accesses import patient_named
from healthrecords import trail
from healthrecords.access import policy
from healthrecords.console.filters import ChoiceFilter
from healthrecords.console.lines import Flag, Line
from healthrecords.console.minutes import asked_of, minutes_of
from healthrecords.console.record_admin import RecordAdmin
from healthrecords.fhir import interactions
from healthrecords.fhir.conditions import Conditions
from healthrecords.fhir.outcome import FHIRError
from patients.models import Patient

SOON = timedelta(days=30)


class StateFilter(ChoiceFilter):
    title, parameter_name = "state", "state"
    choices_offered = {"active": "In force", "ending": "Ending within 30 days", "inactive": "Revoked"}

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        now = timezone.now()
        active = queryset.filter(status=Status.ACTIVE)
        found = {
            "active": active,
            "ending": active.filter(period_until__gte=now, period_until__lt=now + SOON).order_by("period_until"),
            "inactive": queryset.filter(status=Status.INACTIVE),
        }
        return found.get(str(self.value()), queryset)


@admin.register(Consent)
class ConsentAdmin(RecordAdmin):
    """Consents are never edited: one is revoked, and another recorded."""

    page_template = "consent/page.html"
    add_words = "Record a consent"
    list_display = ["given", "patient", "what", "until"]
    list_filter = [StateFilter]

    def screens(self) -> dict[str, tuple[str, Any]]:
        shared = super().screens()
        return {
            "changelist": shared["changelist"],
            "add": ("add/", self.start_view),
            "record": ("record/<str:object_id>/", self.record_view),
            "page": shared["page"],
            "history": shared["history"],
            "paper": ("<str:object_id>/paper.pdf", self.paper_view),
            "revoke": ("<str:object_id>/revoke/", require_POST(self.revoke_view)),
            "bind": ("<str:object_id>/bind/", require_POST(self.bind_view)),
        }

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("current")

    @display(description="Given on")
    def given(self, consent: Consent) -> str:
        return consent.date or "Not said"

    @display(description="Patient")
    def patient(self, consent: Consent) -> str:
        return consent.patient_id

    @display(description="What it says")
    def what(self, consent: Consent) -> str:
        return words.say(nodes_of(consent)).text

    @display(description="Until")
    def until(self, consent: Consent) -> str:
        return consent.period_end

    def row_flags(self, record: Consent) -> list[Flag]:
        return _flags(record)

    def page(self, request: HttpRequest, template: str, row: Any, context: dict[str, Any]) -> Any:
        """Without the ways to forms that there are not."""
        return super(RecordAdmin, self).page(request, template, row, context)

    def page_context(self, request: HttpRequest, record: Consent) -> dict[str, Any]:
        revocable = record.status == Status.ACTIVE and self.permits(request, "update")
        return {
            **self._whom(request, record.patient_id),
            "title": "Consent",
            "said": words.say(nodes_of(record)),
            "flags": _flags(record),
            "sections": [("Record", _lines(record))],
            "paper_address": self.address("paper", record.pk),
            "history_address": self.address("history", record.pk) if self.permits(request, "history") else "",
            "revoke_address": self.address("revoke", record.pk) if revocable else "",
            "bind_address": self.address("bind", record.pk) if self._may_bind(request) else "",
            "binds": AbsoluteMark.objects.filter(consent=record).exists(),
        }

    # --- recording

    def start_view(self, request: HttpRequest) -> HttpResponseBase:
        """Ask whose consent it is, for those who do not come from the page of the patient."""
        self.require(request, "create")
        minutes_of(request).discloses = False
        asked, fault = request.GET.get("q", "")[:200], ""
        try:
            found = self._patients(request).filter(logical_id=patient_named(asked)).first() if asked else None
            fault = "No patient has this id or number." if asked and found is None else ""
        except ValidationError as several:
            found, fault = None, several.messages[0]
        if found:
            return HttpResponseRedirect(self.address("record", found.pk))
        context = {"title": "Record a consent", "q": asked, "fault": fault}
        return TemplateResponse(request, "consent/start.html", {**self.admin_site.each_context(request), **context})

    def record_view(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        """The form, then what it means, then the record. `object_id` is the key of the patient."""
        self.require(request, "create")
        patient = self._patient(request, object_id)
        form = ConsentForm(request.POST or None, {"given": f"{timezone.localdate():%Y-%m-%d}", "kind": "deny"})
        context = {**self._whom(request, patient.logical_id), "title": "Record a consent", "form": form}
        if request.method == "POST" and form.is_valid():
            body = form.resource(patient.logical_id)
            if request.POST.get("step") == "record" and (made := self._recorded(request, form, body)):
                messages.success(request, "The consent is in force.")
                return HttpResponseRedirect(self.address("page", made.pk))
            node = read(body["provision"])
            others = [each for _, each in preview.active(patient.logical_id)]
            context |= {"said": words.say(node), "seen": preview.preview([*others, node]), "kinds": preview.KINDS}
        minutes_of(request).discloses = False
        return self.page(request, "consent/record.html", patient, context)

    def _recorded(self, request: HttpRequest, form: ConsentForm, body: dict[str, Any]) -> Consent | None:
        try:
            answer = interactions.create(self.resource, self.asked(request, "create"), body, Conditions())
        except FHIRError as fault:
            form.errors += [issue.text for issue in fault.issues]
            return None
        assert answer.version is not None  # noqa: S101  # nosec B101  a 201 has one
        minutes_of(request).discloses = False  # the interaction wrote its row
        return Consent.objects.get(logical_id=answer.version.logical_id)

    def _patient(self, request: HttpRequest, key: str) -> Patient:
        """The patient whose page leads here, or whose id somebody brought; raise Http404 where there is none."""
        found: Patient = self._found(self._patients(request), key)  # type: ignore[assignment]
        return found

    def _patients(self, request: HttpRequest) -> Any:
        """Those whom the person may see; who opens no chart, but records consents, brings the id and sees no more."""
        screen: Any = admin.site.get_model_admin(Patient)
        return screen.visible(request, "read") if screen.permits(request, "read") else Patient.objects.live()

    def _whom(self, request: HttpRequest, logical_id: str) -> dict[str, Any]:
        """Who the patient is, where the person may see that."""
        screen: Any = admin.site.get_model_admin(Patient)
        heading: dict[str, Any] = screen.heading(request, logical_id)
        return {**heading, "patient_id": logical_id}

    # --- what becomes of one

    def revoke_view(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        """End a consent by a new version; it stays to be read."""
        self.require(request, "update", object_id)
        record: Any = self._found(self.visible(request, "update"), object_id)
        body = {**preview.body_of(record), "status": "inactive"}
        seen = Conditions(match=frozenset({str(request.POST.get("expected", ""))}))
        try:
            interactions.update(self.resource, self.asked(request, "update"), record.logical_id, body, seen)
        except FHIRError:
            messages.error(request, "Somebody changed this consent meanwhile. Look at it again.")
        else:
            messages.success(request, "The consent was revoked.")
        return HttpResponseRedirect(self.address("page", record.pk))

    def bind_view(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        """Mark the denials of a consent as binding by law, so that no emergency overrides them; or take that back."""
        self.require(request, "update", object_id)
        if not self._may_bind(request):
            raise PermissionDenied
        record: Any = self._found(self.visible(request, "update"), object_id)
        asked = self.asked(request, "update")
        mark, made = AbsoluteMark.objects.get_or_create(consent=record, defaults={"marked_by": asked.actor.name})
        if not made:
            mark.delete()
        fact = trail.Fact(
            "consent-change", patient=record.patient_id, resources=(f"Consent/{record.logical_id}",),
            versions=(record.version,), detail="marked as binding by law" if made else "no longer binding by law",
        )  # fmt: skip
        minutes_of(request).note(asked, [fact])
        return HttpResponseRedirect(self.address("page", record.pk))

    def paper_view(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        """The consent as PDF, with lines to sign on."""
        self.require(request, "read", object_id)
        record: Any = self._found(self.visible(request, "read"), object_id)
        self.note(request, "read", [record])
        whom = self._whom(request, record.patient_id)["patient"]
        if whom is None:
            raise Http404("Who may not see the patient prints no form for them.")
        answer = HttpResponse(paper.printed(record, whom), content_type="application/pdf")
        answer["Content-Disposition"] = f'inline; filename="consent-{record.logical_id}.pdf"'
        return answer

    def _may_bind(self, request: HttpRequest) -> bool:
        """Who handles breaches: the compliance officer."""
        return policy.permit(asked_of(request, "update", "Breach")).permitted


def _flags(record: Consent) -> list[Flag]:
    if record.status != Status.ACTIVE:
        return [Flag(Status(record.status).label, "calm")]
    now = timezone.now()
    if record.period_until and record.period_until <= now:
        return [Flag("Ended", "calm")]
    ending = record.period_until and record.period_until < now + SOON
    marked = [Flag("Binds by law", "grave")] if AbsoluteMark.objects.filter(consent=record).exists() else []
    return [*marked, *([Flag("Ends soon")] if ending else [])]


def _lines(record: Consent) -> list[Line]:
    body: Any = preview.body_of(record)
    verified = [each for each in body.get("verification", []) if each.get("verified")]
    said = [
        ("Given on", record.date), ("From", record.period_start), ("Until", record.period_end),
        ("Signature", "Seen" if verified else "Not seen"),
        ("Paper", body.get("sourceReference", {}).get("display", "")),
        ("Recorded by", str(record.current.author) if record.current else ""),
    ]  # fmt: skip
    return [Line(label, text) for label, text in said if text]
