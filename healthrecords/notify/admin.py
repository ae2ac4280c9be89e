"""Notices in the console: what was told and whether it arrived; channels, their routes, and a test of each."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import Exists, OuterRef
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils import timezone
from unfold.decorators import display

from healthrecords.accounts import stepup
from healthrecords.console.filters import ChoiceFilter, TextFilter
from healthrecords.console.lines import Flag, Line
from healthrecords.console.policy_admin import PolicyAdmin
from healthrecords.notify import channels, kinds
from healthrecords.notify.models import Channel, Delivery, Notice, Severity, State

FLAGS = {Severity.CRITICAL: "grave", Severity.WARNING: "warning", Severity.INFO: "calm"}
SHOWN = 10  # deliveries on a channel's page
_TIME = "%Y-%m-%d %H:%M"


def when(time: Any) -> str:
    """A time in the installation's zone, to the minute; empty for none."""
    return f"{timezone.localtime(time):{_TIME}}" if time else ""


class SeverityFilter(ChoiceFilter):
    title, parameter_name, column = "severity", "severity", "severity"
    choices_offered = dict(Severity.choices)


class StateFilter(ChoiceFilter):
    title, parameter_name = "delivery", "state"
    choices_offered = dict(State.choices)

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        if self.value() not in self.choices_offered:
            return queryset
        return queryset.filter(Exists(Delivery.objects.filter(notice=OuterRef("pk"), state=self.value())))


class EventFilter(TextFilter):
    title, parameter_name, hint = "event", "event", "backup or backup.failed"

    def condition(self, request: HttpRequest, queryset: Any, text: str) -> Any:
        return queryset.filter(event=text) | queryset.filter(event__startswith=f"{text}.")


@admin.register(Notice)
class NoticeAdmin(PolicyAdmin):
    """What people were told, newest first."""

    subject = channels.SUBJECT
    list_per_page = 50
    page_template = "notify/notice.html"
    change_list_template = "notify/notices.html"
    list_display = ["what", "severity", "told", "times", "outcome"]
    list_filter = [SeverityFilter, StateFilter, EventFilter]

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related("deliveries__channel")

    @display(description="Notice")
    def what(self, notice: Notice) -> str:
        return notice.summary

    @display(description="Severity")
    def severity(self, notice: Notice) -> str:
        return Severity(notice.severity).label

    @display(description="Told")
    def told(self, notice: Notice) -> str:
        return when(notice.told_at)

    @display(description="Times")
    def times(self, notice: Notice) -> str:
        return str(notice.count)

    @display(description="Delivery")
    def outcome(self, notice: Notice) -> str:
        """The ways and how each ended; the page has the reasons."""
        ways = [f"{each.channel_name}: {State(each.state).label.lower()}" for each in notice.deliveries.all()]
        return ", ".join(ways) or ("shown here alone" if notice.routed_at else "not routed yet")

    def row_flags(self, record: Notice) -> list[Flag]:
        failed = any(each.state == State.FAILED for each in record.deliveries.all())
        return [Flag("Not delivered", "grave")] if failed else []

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        screen: Any = self.admin_site.get_model_admin(Channel)
        return super().changelist_view(request, {"channels_address": screen.address("changelist")})

    def page_view(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        """Show a notice; by POST, try again what was given up."""
        if request.method != "POST":
            return super().page_view(request, object_id)
        self.require(request, "update", object_id)
        notice, by = self.found(request, object_id), self.asked(request, "update")
        done = sum(channels.again(each, by) for each in notice.deliveries.all())
        messages.success(request, "It is on its way again." if done else "There is nothing to send again.")
        return HttpResponseRedirect(self.address("page", notice.pk))

    def page_context(self, request: HttpRequest, record: Notice) -> dict[str, Any]:
        about = [
            Line("Severity", Severity(record.severity).label), Line("Event", record.event),
            Line("Told", when(record.told_at)), Line("Times", str(record.count)),
            *([Line("Last told", when(record.last_at))] if record.count > 1 else []),
        ]  # fmt: skip
        facts = [Line(name.replace("_", " ").capitalize(), str(value)) for name, value in record.facts.items()]
        ways = list(record.deliveries.all())
        failed = any(each.state == State.FAILED for each in ways)
        return {
            "sections": [("Notice", about), *([("Facts", facts)] if facts else [])],
            "ways": [(each, State(each.state).label) for each in ways],
            "may_repeat": failed and self.permits(request, "update"),
        }


class ChannelForm(forms.Form):
    """A new channel, and the first thing that it is told."""

    name = forms.CharField(label="Name", max_length=40, help_text="One word, such as oncall-chat.")
    address = forms.CharField(
        label="Address", max_length=kinds.LONGEST, widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text="mailto:oncall@clinic.example, role:operator, or the address of a service, such as slack://… "
        "It is kept sealed, and not shown again.",
    )  # fmt: skip
    severities = forms.MultipleChoiceField(
        label="Is told what is", choices=Severity.choices, required=False, widget=forms.CheckboxSelectMultiple,
        initial=[Severity.CRITICAL, Severity.WARNING],
    )  # fmt: skip
    event = forms.CharField(
        label="Only events of", required=False, max_length=100, help_text="backup or backup.failed; empty is all."
    )


@admin.register(Channel)
class ChannelAdmin(PolicyAdmin):
    """Whom notices go to. Addresses are put in and never shown."""

    subject = channels.SUBJECT
    add_words = "Add a channel"
    page_template = "notify/channel.html"
    change_list_template = "notify/channels.html"
    list_display = ["title", "service", "told", "state"]

    def screens(self) -> dict[str, tuple[str, Any]]:
        shared = super().screens()
        return {"changelist": shared["changelist"], "add": ("add/", self.add_view), "page": shared["page"]}

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related("routes")

    @display(description="Channel")
    def title(self, channel: Channel) -> str:
        return channel.name

    @display(description="Leads to")
    def service(self, channel: Channel) -> str:
        return channel.service

    @display(description="Is told")
    def told(self, channel: Channel) -> str:
        return "; ".join(map(str, channel.routes.all())) or "nothing"

    @display(description="State")
    def state(self, channel: Channel) -> str:
        return "In use" if channel.enabled else "Disabled"

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        screen: Any = self.admin_site.get_model_admin(Notice)
        return super().changelist_view(request, {"notices_address": screen.address("changelist")})

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponseBase:
        """Add a channel."""
        self.require(request, "create")
        if asked := stepup.ask(request):
            return asked
        form = ChannelForm(request.POST or None)
        if request.method == "POST" and form.is_valid() and (made := self._made(request, form)):
            messages.success(request, "The channel was added. Send a test to see whether it arrives.")
            return HttpResponseRedirect(self.address("page", made.pk))
        context = {**self.admin_site.each_context(request), "title": self.add_words, "form": form}
        context |= {"action": "Add", "list_address": self.address("changelist")}
        return TemplateResponse(request, "console/short_form.html", context)

    def _made(self, request: HttpRequest, form: ChannelForm) -> Channel | None:
        said = form.cleaned_data
        try:
            return channels.add(
                said["name"], said["address"], said["severities"], said["event"], self.asked(request, "create")
            )
        except ValidationError as fault:
            form.add_error(None, fault)
            return None

    def page_view(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        """Show a channel; by POST, change or test it."""
        if request.method != "POST":
            return super().page_view(request, object_id)
        self.require(request, "update", object_id)
        channel = self.found(request, object_id)
        if asked := stepup.ask(request):
            return asked
        try:
            messages.success(request, self._done(request, channel))
        except ValidationError as fault:
            messages.error(request, " ".join(fault.messages))
        return HttpResponseRedirect(self.address("page", channel.pk))

    def _done(self, request: HttpRequest, channel: Channel) -> str:
        by, said = self.asked(request, "update"), request.POST
        match said.get("do"):
            case "test":
                channels.test(channel, by)
                return "The worker was asked to send a test; its outcome shows below."
            case "address":
                channels.change_address(channel, said.get("address", "").strip(), by)
                return "The address was changed."
            case "route":
                is_new = channels.add_route(channel, said.get("severity", ""), said.get("event", "").strip(), by)
                return "The route was added." if is_new else "It was so already."
            case "unroute":
                return "The route was removed." if channels.remove_route(channel, said.get("route", ""), by) else GONE
            case "enable":
                channels.enable(channel, by)
                return "The channel is in use again."
            case "disable":
                channels.disable(channel, by)
                return "The channel is disabled; what waited for it is given up."
        raise Http404

    def page_context(self, request: HttpRequest, record: Channel) -> dict[str, Any]:
        about = [
            Line("Leads to", record.service), Line("State", self.state(record)), Line("Made", when(record.made_at)),
            Line("Address", "Sealed; it can be replaced, not shown"),
        ]  # fmt: skip
        latest = record.deliveries.select_related("notice").order_by("-uuid")[:SHOWN]
        return {
            "sections": [("Channel", about)], "routes": record.routes.all(), "severities": Severity.choices,
            "latest": [(each, State(each.state).label, when(each.ended_at)) for each in latest],
            "may_change": self.permits(request, "update"),
        }  # fmt: skip


GONE = "It was removed already."
