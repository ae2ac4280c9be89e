"""The accounting of disclosures as a screen: the list, the document, and the entry of one made by hand."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.http import urlencode

from compliance.accounting import disclosures, document
from compliance.accounting.models import EnteredDisclosure
from compliance.review.accesses import patient_named
from healthrecords.accounts import stepup
from healthrecords.console.policy_admin import PolicyAdmin


class DisclosureForm(forms.Form):
    """A disclosure that was made by letter, telephone or fax."""

    made_on = forms.DateField(label="Made on", widget=forms.DateInput(attrs={"type": "date"}))
    recipient = forms.CharField(label="To whom", max_length=disclosures.LONGEST)
    address = forms.CharField(label="Address, if known", max_length=disclosures.LONGEST, required=False)
    description = forms.CharField(label="What was disclosed", max_length=disclosures.LONGEST)
    purpose = forms.CharField(label="Why", max_length=disclosures.LONGEST)


@admin.register(EnteredDisclosure)
class AccountingAdmin(PolicyAdmin):
    """The accounting of one patient. It shows the patient's name, so that it asks for a fresh second factor."""

    subject = "Accounting"

    def screens(self) -> dict[str, tuple[str, Any]]:
        return {"changelist": ("", self.accounting_view), "file": ("accounting.pdf", self.file_view)}

    def accounting_view(self, request: HttpRequest) -> HttpResponseBase:
        """The accounting of the patient asked for; by POST, enter a disclosure."""
        self.require(request, "search")
        wanted = request.GET.get("q", "")[:200].strip()
        if wanted and (asked := stepup.ask(request)):
            return asked
        form = DisclosureForm(request.POST or None, auto_id="disclosure-%s")
        if request.method == "POST" and self._entered(request, wanted, form):
            return HttpResponseRedirect(request.get_full_path())
        return self._shown(request, wanted, form)

    def file_view(self, request: HttpRequest) -> HttpResponseBase:
        """The document that the patient is given."""
        self.require(request, "read")
        if asked := stepup.ask(request):
            return asked
        try:
            patient = patient_named(request.GET.get("q", "")[:200])
            found = disclosures.account(patient, self.asked(request, "export"))
        except ValidationError as fault:
            messages.error(request, " ".join(fault.messages))
            return HttpResponseRedirect(self.address("changelist"))
        answer = HttpResponse(document.as_pdf(found), content_type="application/pdf")
        answer["Content-Disposition"] = 'attachment; filename="accounting-of-disclosures.pdf"'
        answer["Cache-Control"] = "no-store"
        return answer

    def _entered(self, request: HttpRequest, wanted: str, form: DisclosureForm) -> bool:
        self.require(request, "create")
        if not form.is_valid():
            return False
        try:
            disclosures.enter(patient_named(wanted), form.cleaned_data, self.asked(request, "create"))
        except ValidationError as fault:
            form.add_error(None, fault)
            return False
        messages.success(request, "The disclosure was entered.")
        return True

    def _shown(self, request: HttpRequest, wanted: str, form: DisclosureForm) -> HttpResponse:
        found, fault = None, ""
        try:
            found = disclosures.account(patient_named(wanted), self.asked(request, "read")) if wanted else None
        except ValidationError as wrong:
            fault = " ".join(wrong.messages)
        context = {
            **self.admin_site.each_context(request), "title": document.TITLE, "wanted": wanted, "found": found,
            "fault": fault, "form": form, "may_enter": self.permits(request, "create"), "notes": document.NOTES,
            "file_address": f"{self.address('file')}?{urlencode({'q': found.patient})}" if found else "",
        }  # fmt: skip
        return TemplateResponse(request, "compliance/accounting.html", context)
