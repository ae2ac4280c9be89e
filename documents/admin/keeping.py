"""Placing a legal hold on a document, releasing it, and retaining it longer, each with its reason.

Who may change a document may do all three: a hold only keeps, so that nobody should have to wait for another to place
it. A release can lose what a court asks for, so that it also asks for a fresh second factor.
"""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from unfold.widgets import UnfoldAdminTextInputWidget

from documents import holding
from documents.admin import words
from documents.models import DocumentReference
from healthrecords.accounts import stepup
from healthrecords.console.forms import text_field
from healthrecords.console.record_admin import RecordAdmin
from healthrecords.fhir.outcome import FHIRError

PLACED = "On hold since {0.decided_at:%Y-%m-%d}, by {0.author}: {0.reason}"
NOT_PLACED = "On legal hold, the content stays, also when the document is deleted or its retention ends."


class ReasonForm(forms.Form):
    """Why it is done."""

    reason = text_field("Reason", 500, "Stays for good. Name the matter or case, not the patient's condition.")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].required = True


class LongerForm(ReasonForm):
    """Until when, and why."""

    until = forms.DateField(
        label="Retain until",
        input_formats=["%Y-%m-%d"],
        widget=UnfoldAdminTextInputWidget(attrs={"inputmode": "numeric", "placeholder": "YYYY-MM-DD"}),
        error_messages={"invalid": "Write a day, such as 2040-12-31."},
    )
    field_order = ("until", "reason")


class KeepingScreens(RecordAdmin):
    """The pages that ask for the reason."""

    def keeping_screens(self) -> dict[str, tuple[str, Any]]:
        """Their addresses and views."""
        return {
            "hold": ("<str:object_id>/hold/", self.hold_view),
            "retain": ("<str:object_id>/retain/", self.retain_view),
        }

    def hold_view(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        """Place the hold, or release the one that is there. The form says which, in case it changed meanwhile."""
        document = self._to_keep(request, object_id)
        placed, releases = holding.hold_on(document), request.POST.get("step") == "release"
        if (placed or releases) and (asked := stepup.ask(request)):
            return asked
        context = {
            "title": "Release legal hold" if placed else "Place legal hold",
            "told": PLACED.format(placed) if placed else NOT_PLACED,
            "step": "release" if placed else "place",
            "done": "The legal hold was released." if releases else "The document is on legal hold.",
        }
        decide, by = holding.release_hold if releases else holding.place_hold, self.asked(request, "update")
        form = ReasonForm(request.POST or None)
        return self._decided(request, document, form, lambda said: decide(document, said["reason"], by), context)

    def retain_view(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        """Retain the content longer."""
        document = self._to_keep(request, object_id)
        context = {
            "title": "Retain longer",
            "told": f"Retained until {holding.kept(document).until:%Y-%m-%d}. A later day cannot be taken back.",
            "done": "The document is retained longer.",
        }
        form, by = LongerForm(request.POST or None), self.asked(request, "update")
        return self._decided(
            request,
            document,
            form,
            lambda said: holding.retain_until(document, said["until"], said["reason"], by),
            context,
        )

    def _to_keep(self, request: HttpRequest, key: str) -> DocumentReference:
        self.require(request, "update", key)
        found: Any = self._found(self.visible(request, "update"), key)
        return found

    def _decided(
        self,
        request: HttpRequest,
        document: DocumentReference,
        form: ReasonForm,
        decide: Callable[[dict[str, Any]], object],
        context: dict[str, str],
    ) -> HttpResponseBase:
        """Decide as a valid form says and go back to the document; else show the form, with what is in the way."""
        if request.method == "POST" and form.is_valid():
            try:
                decide(form.cleaned_data)
            except ValidationError as fault:
                form.add_error(None, fault.messages[0])
            except FHIRError as fault:
                form.add_error(None, fault.text)
            else:
                messages.success(request, context["done"])
                return HttpResponseRedirect(self.address("page", document.pk))
        self.note(request, "read", [document])
        return self.page(
            request, "documents/keeping.html", document, {**context, "form": form, "subtitle": words.title_of(document)}
        )
