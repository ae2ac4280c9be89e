"""The review as screens: findings with their notes and sign-off, the limits of the rules, watched patients."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from unfold.decorators import display

from compliance.phi_access import report
from compliance.review import rules, running, settling
from compliance.review.models import Finding, Verdict, WatchedPatient
from healthrecords import trail
from healthrecords.accounts import stepup
from healthrecords.console.exports import ExportableAdmin
from healthrecords.console.filters import ChoiceFilter, TextFilter
from healthrecords.console.lines import Flag, Line
from healthrecords.console.minutes import minutes_of


class StateFilter(ChoiceFilter):
    title, parameter_name, column = "state", "state", "verdict"
    choices_offered = dict(Verdict.choices)


class RuleFilter(ChoiceFilter):
    title, parameter_name, column = "sign", "rule", "rule"
    choices_offered = rules.TITLES


class PersonFilter(TextFilter):
    title, parameter_name, hint = "person", "person", "Whole name"

    def condition(self, request: HttpRequest, queryset: Any, text: str) -> Any:
        return queryset.filter(person=text) | queryset.filter(person_id=text)


class SinceFilter(TextFilter):
    title, parameter_name, hint = "since", "since", "7d or 2026-05-17"

    def condition(self, request: HttpRequest, queryset: Any, text: str) -> Any:
        """A time that cannot be read shows nothing rather than everything."""
        try:
            return queryset.filter(first_at__gte=report.since(text))
        except ValidationError:
            return queryset.none()


class LimitsForm(forms.Form):
    """The limits of the rules, as whole numbers."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, label in rules.WORDS.items():
            self.fields[name] = forms.IntegerField(label=label, min_value=0, max_value=rules.MOST.get(name))


@admin.register(Finding)
class FindingAdmin(ExportableAdmin):
    """Unusual access: what waits for somebody's judgment, and what was judged."""

    subject = "Review"
    list_title = "Unusual access"
    list_per_page = 50
    page_template = "compliance/finding.html"
    change_list_template = "compliance/findings.html"
    list_display = ["who", "sign", "patient", "when", "reason", "state"]
    list_filter = [StateFilter, RuleFilter, PersonFilter, SinceFilter]
    ordering = ["-first_at", "-uuid"]

    def screens(self) -> dict[str, tuple[str, Any]]:
        return {"setup": ("setup/", self.setup_view), **super().screens()}

    # --- the list

    @display(description="Who")
    def who(self, finding: Finding) -> str:
        return finding.person

    @display(description="Sign")
    def sign(self, finding: Finding) -> str:
        return rules.TITLES.get(finding.rule, finding.rule)

    @display(description="Patient")
    def patient(self, finding: Finding) -> str:
        return finding.patient

    @display(description="When")
    def when(self, finding: Finding) -> str:
        return f"{timezone.localtime(finding.first_at):%Y-%m-%d %H:%M}"

    @display(description="Why")
    def reason(self, finding: Finding) -> str:
        return finding.reason

    @display(description="State")
    def state(self, finding: Finding) -> str:
        return Verdict(finding.verdict).label

    def row_flags(self, record: Finding) -> list[Flag]:
        weight = rules.WEIGHTS.get(record.rule, "calm")
        return [Flag("Look first", "grave")] if record.verdict == Verdict.OPEN and weight == "grave" else []

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        address = self.address("setup") if self.permits(request, "create") else ""
        return super().changelist_view(request, {"setup_address": address, **(extra_context or {})})

    def listed(self, request: HttpRequest, rows: list[Any], query: str) -> None:
        self._note(request, trail.Fact("search", detail=f"findings: {len(rows)} rows", query=query))

    # --- one finding

    def page_view(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        """Show a finding; by POST, add a note or sign it off."""
        if request.method != "POST":
            return super().page_view(request, object_id)
        self.require(request, "update", object_id)
        finding, by = self.found(request, object_id), self.asked(request, "update")
        text, verdict = request.POST.get("text", ""), request.POST.get("verdict", "")
        try:
            if verdict:
                settling.sign_off(finding, verdict, text, by)
            else:
                settling.add_note(finding, text, by)
        except ValidationError as fault:
            return self.page(request, self.page_template, finding, self._about(request, finding, text, fault.messages))
        messages.success(request, "Signed off." if verdict else "The note was added.")
        return HttpResponseRedirect(self.address("page", finding.pk))

    def page_context(self, request: HttpRequest, record: Finding) -> dict[str, Any]:
        self._note(request, trail.Fact("read", resources=(f"Finding/{record.pk}",), versions=(0,)))
        return self._about(request, record)

    def _about(
        self, request: HttpRequest, finding: Finding, text: str = "", faults: list[str] | None = None
    ) -> dict[str, Any]:
        own = str(request.user.pk) == finding.person_id
        return {
            "title": f"{self.sign(finding)}: {finding.person}", "sections": _sections(finding),
            "notes": finding.notes.all(), "may_write": self.permits(request, "update"), "own": own, "text": text,
            "faults": faults or [], "is_open": finding.verdict == Verdict.OPEN,
            "verdicts": [each for each in Verdict.choices if each[0] != Verdict.OPEN],
        }  # fmt: skip

    # --- limits, watched patients, runs

    def setup_view(self, request: HttpRequest) -> HttpResponseBase:
        """The limits of the rules and who is watched; a run over a day."""
        self.require(request, "create")
        form = LimitsForm(initial=vars(settling.limits()))
        if request.method == "POST":
            if asked := stepup.ask(request):
                return asked
            form = LimitsForm(request.POST) if request.POST.get("do") == "limits" else form
            if self._carried_out(request, form):
                return HttpResponseRedirect(self.address("setup"))
        self._note(request, trail.Fact("read", detail="limits of the access review"))
        context = {
            **self.admin_site.each_context(request), "title": "Rules of the review", "form": form,
            "watched": WatchedPatient.objects.all(), "list_address": self.address("changelist"),
            "today": timezone.localdate(), "yesterday": running.yesterday(), "said": request.POST,
        }  # fmt: skip
        return TemplateResponse(request, "compliance/review_setup.html", context)

    def _carried_out(self, request: HttpRequest, form: LimitsForm) -> bool:
        """Do what the page asks for, and say so; where it cannot be done, say why."""
        if form.is_bound and not form.is_valid():
            return False
        try:
            messages.success(request, self._done(request, form))
        except ValidationError as fault:
            messages.error(request, " ".join(fault.messages))
            return False
        return True

    def _done(self, request: HttpRequest, form: LimitsForm) -> str:
        by, said = self.asked(request, "create"), request.POST
        match said.get("do"):
            case "limits":
                return "The limits were saved." if settling.change_limits(form.cleaned_data, by) else "Nothing changed."
            case "watch":
                return f"{settling.watch(said.get('patient', '').strip(), said.get('reason', ''), by)} is watched."
            case "unwatch":
                settling.unwatch(said.get("patient", ""), by)
                return "This patient is watched no longer."
            case _:
                day = forms.DateField().clean(said.get("day"))
                return str(running.run(day, by))

    def _note(self, request: HttpRequest, fact: trail.Fact) -> None:
        minutes_of(request).note(self.asked(request, fact.action), [fact])


def _sections(finding: Finding) -> list[tuple[str, list[Line]]]:
    times = [f"{timezone.localtime(each):%Y-%m-%d %H:%M}" for each in (finding.first_at, finding.last_at)]
    what = [
        Line("Sign", rules.TITLES.get(finding.rule, finding.rule)), Line("Why", finding.reason),
        Line("First and last", " to ".join(dict.fromkeys(times))), Line("Times", str(finding.count)),
        Line("Found", f"{timezone.localtime(finding.found_at):%Y-%m-%d %H:%M}"),
    ]  # fmt: skip
    who = [Line("Person", finding.person, "What this person saw", _asking("person", q=finding.person_id))]
    if finding.patient:
        who.append(Line("Patient", finding.patient, "Who saw this patient", _asking("patient", q=finding.patient)))
    who.append(
        Line(
            "Events",
            "In the access log",
            address=_asking("changelist", patient=finding.patient, actor=finding.person_id),
        )
    )
    sections = [("Finding", what), ("Who and whom", who)]
    if finding.signed_at:
        signed = f"{finding.signed_by}, {timezone.localtime(finding.signed_at):%Y-%m-%d %H:%M}"
        sections.append(("Signed off", [Line("As", Verdict(finding.verdict).label), Line("By", signed)]))
    return sections


def _asking(screen: str, **terms: str) -> str:
    kept = {name: value for name, value in terms.items() if value}
    return f"{reverse(f'admin:compliance_accessevent_{screen}')}?{urlencode(kept)}"
