"""What holds where no consent says anything: one page with the default of each purpose."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse

from compliance.consent import defaults
from compliance.consent.models import PurposeDefault
from healthrecords import trail
from healthrecords.accounts import stepup
from healthrecords.console.minutes import minutes_of
from healthrecords.console.policy_admin import PolicyAdmin


@admin.register(PurposeDefault)
class PurposeDefaultAdmin(PolicyAdmin):
    """One page: each purpose with what holds, and the buttons of those who may change it."""

    subject = defaults.SUBJECT

    def screens(self) -> dict[str, tuple[str, Any]]:
        return {"changelist": ("", self.defaults_view)}

    def defaults_view(self, request: HttpRequest) -> HttpResponseBase:
        """Show the defaults; by POST, change one."""
        self.require(request, "update" if request.method == "POST" else "search")
        if request.method == "POST":
            if asked := stepup.ask(request):
                return asked
            self._change(request)
            return HttpResponseRedirect(self.address("changelist"))
        fact = trail.Fact("search", detail="defaults of the purposes of use")
        minutes_of(request).note(self.asked(request, "search"), [fact])
        context = {
            **self.admin_site.each_context(request), "title": "Purposes of use",
            "defaults": PurposeDefault.objects.all(), "may_change": self.permits(request, "update"),
        }  # fmt: skip
        return TemplateResponse(request, "consent/defaults.html", context)

    def _change(self, request: HttpRequest) -> None:
        permits = request.POST.get("permits") == "yes"
        try:
            changed = defaults.change(request.POST.get("purpose", ""), permits, self.asked(request, "update"))
        except ValidationError as fault:
            messages.error(request, " ".join(fault.messages))
        else:
            messages.success(request, "The default was changed." if changed else "It was so already.")
