"""Emergency access in the console: declared from the patient's page, ended there, reviewed in a queue."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import F
from django.http import Http404, HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.views.decorators.http import require_POST
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget

from compliance.breakglass import declaring, reviewing
from compliance.breakglass.models import REVIEW_WITHIN, BreakGlass, Outcome
from healthrecords import trail
from healthrecords.access import policy
from healthrecords.accounts import stepup
from healthrecords.console.filters import ChoiceFilter
from healthrecords.console.lines import Flag, Line
from healthrecords.console.minutes import asked_of, minutes_of
from healthrecords.console.policy_admin import GONE, PolicyAdmin
from patients.admin.panels import Panel, on_patient_page
from patients.models import Patient

REASON = "Why this cannot wait. The privacy officer reads it within 72 hours."


class ReasonForm(forms.Form):
    """Why the record is opened."""

    reason = forms.CharField(
        label="Reason", help_text=REASON, widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        min_length=declaring.SHORTEST, max_length=declaring.LONGEST,
    )  # fmt: skip


class ReviewForm(forms.Form):
    """What the review found."""

    outcome = forms.ChoiceField(
        label="Finding", choices=[("", "Choose"), *Outcome.choices], widget=UnfoldAdminSelectWidget
    )
    notes = forms.CharField(
        label="Notes", required=False, widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}), max_length=4000
    )


class StateFilter(ChoiceFilter):
    title, parameter_name = "review", "review"
    choices_offered = {"open": "To review", "overdue": "Overdue", **dict(Outcome.choices)}

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        chosen = self.value()
        if chosen in Outcome.values:
            return queryset.filter(outcome=chosen)
        waiting = queryset.filter(reviewed_at=None)
        late = waiting.filter(opened_at__lt=timezone.now() - REVIEW_WITHIN)
        return {"open": waiting, "overdue": late}.get(str(chosen), queryset)


@admin.register(BreakGlass)
class BreakGlassAdmin(PolicyAdmin):
    """The queue is for those who oversee the trail; who decides is whoever handles breaches."""

    subject = "Trail"
    list_title = "Emergency access"
    list_display = ["moment", "actor", "patient", "due", "finding"]
    list_filter = [StateFilter]

    def get_queryset(self, request: HttpRequest) -> Any:
        """What waits for a review comes first."""
        return BreakGlass.objects.order_by(F("reviewed_at").desc(nulls_first=True), "-opened_at")

    @display(description="Opened (UTC)")
    def moment(self, declared: BreakGlass) -> str:
        return f"{declared.opened_at:%Y-%m-%d %H:%M}"

    @display(description="Who")
    def actor(self, declared: BreakGlass) -> str:
        return declared.actor

    @display(description="Patient")
    def patient(self, declared: BreakGlass) -> str:
        return declared.patient

    @display(description="Review due (UTC)")
    def due(self, declared: BreakGlass) -> str:
        return "" if declared.reviewed_at else f"{declared.review_due:%Y-%m-%d %H:%M}"

    @display(description="Finding")
    def finding(self, declared: BreakGlass) -> str:
        return Outcome(declared.outcome).label if declared.outcome else ""

    def row_flags(self, record: BreakGlass) -> list[Flag]:
        flags = [Flag("Open now", "caution")] if record.is_live() else []
        return [*flags, Flag("Review overdue", "grave")] if record.is_overdue else flags

    def screens(self) -> dict[str, tuple[str, Any]]:
        return {
            "changelist": ("", self.changelist_view),
            "declare": ("declare/<str:object_id>/", self.declare_view),
            "page": ("<str:object_id>/", self.page_view),
            "end": ("<str:object_id>/end/", require_POST(self.end_view)),
        }

    def listed(self, request: HttpRequest, rows: list[Any], query: str) -> None:
        self._note(request, "search", trail.Fact("search", detail=f"emergency access: {len(rows)} rows", query=query))

    # --- whoever gives care

    def declare_view(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        """Ask for the reason, then open the record. `object_id` is the key of a patient whose page shows."""
        screen: Any = admin.site.get_model_admin(Patient)
        screen.require(request, "read", object_id)
        asked = asked_of(request, "break-glass", "Patient")
        if not declaring.may_declare(asked):
            raise PermissionDenied
        patient = screen.found(request, object_id)
        if again := stepup.ask(request):
            return again
        form = ReasonForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            try:
                declaring.declare(asked, patient.logical_id, form.cleaned_data["reason"])
            except ValidationError as fault:
                form.add_error("reason", fault)
            else:
                return HttpResponseRedirect(screen.address("page", patient.pk))
        screen.note(request, "read", [patient])
        context = {"title": "Emergency access", "subtitle": str(patient), "form": form}
        back = {"page_address": screen.address("page", patient.pk)}
        return self.page(request, "breakglass/declare.html", patient, {**context, **back})

    def end_view(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        """End one's own."""
        asked = asked_of(request, "break-glass", "Patient")
        minutes_of(request).asked = asked
        mine = {str(each.pk): each for each in declaring.live_of(asked.actor)}
        if object_id in mine:
            declaring.end(asked, mine[object_id])
            messages.success(request, "The emergency access has ended.")
        return HttpResponseRedirect(self._back(request, mine.get(object_id)))

    def _back(self, request: HttpRequest, declared: BreakGlass | None) -> str:
        screen: Any = admin.site.get_model_admin(Patient)
        patient = Patient.objects.live().filter(logical_id=declared.patient).first() if declared else None
        return str(screen.address("page", patient.pk) if patient else screen.address("changelist"))

    # --- whoever reviews

    def page_view(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        """One declaration with its reason; the form of the review for whoever handles breaches."""
        self.require(request, "read", object_id)
        declared = self.found(request, object_id)
        may_decide = self._may_decide(request, declared)
        form = ReviewForm(request.POST or None) if may_decide else None
        if request.method == "POST":
            if form is None:
                raise PermissionDenied
            if form.is_valid() and self._decided(request, declared, form):
                messages.success(request, "The review was kept.")
                return HttpResponseRedirect(self.address("changelist"))
        name = f"BreakGlass/{declared.pk}"
        self._note(request, "read", trail.Fact("read", patient=declared.patient, resources=(name,), versions=(0,)))
        context = {"sections": _sections(declared), "form": form, "title": "Emergency access"}
        return self.page(request, "breakglass/review.html", declared, context)

    def _decided(self, request: HttpRequest, declared: BreakGlass, form: ReviewForm) -> bool:
        asked = asked_of(request, "update", "Breach")
        try:
            reviewing.review(asked, declared, form.cleaned_data["outcome"], form.cleaned_data["notes"])
        except ValidationError as fault:
            form.add_error(None, fault)
            return False
        return True

    def _may_decide(self, request: HttpRequest, declared: BreakGlass) -> bool:
        open_to = policy.permit(asked_of(request, "update", "Breach")).permitted
        return open_to and declared.outcome in ("", Outcome.FOLLOW_UP)

    def found(self, request: HttpRequest, key: str) -> Any:
        try:
            return super().found(request, key)
        except ValidationError:
            raise Http404(GONE) from None

    def _note(self, request: HttpRequest, interaction: str, fact: trail.Fact) -> None:
        minutes_of(request).note(self.asked(request, interaction).to(interaction, "BreakGlass"), [fact])


def _sections(declared: BreakGlass) -> list[tuple[str, list[Line]]]:
    ended = declared.ended_at or declared.expires_at
    told = f"{declared.notified_at:%Y-%m-%d %H:%M}" if declared.notified_at else "Not yet"
    opened = [
        Line("Who", declared.actor), Line("Patient", f"Patient/{declared.patient}"),
        Line("Reason", str(declared.reason)),
        Line("Opened (UTC)", f"{declared.opened_at:%Y-%m-%d %H:%M}"), Line("Until (UTC)", f"{ended:%Y-%m-%d %H:%M}"),
        Line("Privacy officers told by mail (UTC)", told),
    ]  # fmt: skip
    if not declared.reviewed_at:
        return [("Declaration", opened), ("Review", [Line("Due (UTC)", f"{declared.review_due:%Y-%m-%d %H:%M}")])]
    review = [
        Line("Finding", Outcome(declared.outcome).label), Line("Notes", str(declared.notes or "")),
        Line("By", declared.reviewer, f"{declared.reviewed_at:%Y-%m-%d %H:%M} UTC"),
    ]  # fmt: skip
    return [("Declaration", opened), ("Review", [line for line in review if line.text])]


@on_patient_page
def emergency(request: HttpRequest, patient: Patient) -> Panel | None:
    """The way to the declaration, for those who give care and have none open for this patient."""
    asked = asked_of(request, "break-glass", "Patient")
    if not declaring.may_declare(asked):
        return None
    if any(each.patient == patient.logical_id for each in declaring.live_of(asked.actor)):
        return None
    screen: Any = admin.site.get_model_admin(BreakGlass)
    return Panel("breakglass/panel.html", {"address": screen.address("declare", patient.pk)})
