"""The review of doses that may be recorded twice: both side by side, one decision, and a way back."""

from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse

from healthrecords.access.request import AccessRequest
from healthrecords.console.changes import person
from healthrecords.console.policy_admin import PolicyAdmin
from immunizations.admin import labels
from immunizations.admin.words import vaccine_name, when
from immunizations.codes import lookup
from immunizations.codes.catalog import Catalog
from immunizations.duplicates import review
from immunizations.duplicates.models import DuplicatePair, Verdict
from immunizations.models import Immunization
from patients.admin.page import birth
from patients.models import Patient

SOURCE = {True: "Given here", False: "Historical"}


@admin.register(DuplicatePair)
class DuplicateAdmin(PolicyAdmin):
    """Pairs that wait for a person, and those about which something is said already."""

    subject = "Immunization"

    def screens(self) -> dict[str, tuple[str, Any]]:
        return {"changelist": ("", self.review_view)}

    def review_view(self, request: HttpRequest) -> HttpResponse:
        """The list; a decision comes back to it."""
        self.require(request, "search")
        if request.method == "POST":
            self.require(request, "update")
            self._decide(request)
            return HttpResponseRedirect(request.get_full_path())
        patient, asked = request.GET.get("patient", "")[:64], self.asked(request, "search")
        waiting, linked = review.waiting(asked, patient), review.linked(asked, patient)
        context = {
            **self.admin_site.each_context(request), "title": "Possible duplicates",
            "waiting": self._cases(waiting), "linked": self._cases(linked),
            "may_decide": self.permits(request, "update"), "narrowed": bool(patient),
        }  # fmt: skip
        return TemplateResponse(request, "immunizations/duplicates.html", context)

    def _decide(self, request: HttpRequest) -> None:
        by = self.asked(request, "update")
        try:
            messages.success(request, _carried_out(request, UUID(request.POST.get("pair", "")), by))
        except ValidationError as fault:
            messages.error(request, " ".join(fault.messages))
        except ValueError:
            messages.error(request, "There is no such pair.")

    def _cases(self, cases: list[review.Case]) -> list[dict[str, Any]]:
        catalog, people = lookup.current(), admin.site.get_model_admin(Patient)
        return [_shown(case, catalog, people) for case in cases]


def _carried_out(request: HttpRequest, key: UUID, by: AccessRequest) -> str:
    """Do what the form asks for, and say so."""
    if request.POST.get("do") == "undo":
        review.undo(key, by)
        return "The decision is taken back."
    counts = request.POST.get("counts", "")
    review.decide(key, Verdict.CERTAIN if counts else Verdict.NOT_DUPLICATE, by, counts)
    return "They are one dose now; both records stay." if counts else "They stay two doses."


def _shown(case: review.Case, catalog: Catalog, people: Any) -> dict[str, Any]:
    pair, patient = case.pair, case.patient
    return {
        "key": pair.pk, "why": case.why, "patient": patient, "born": birth(patient) if patient else "",
        "address": people.address("page", patient.pk) if patient else "",
        "doses": [_dose(dose, catalog, dose is case.counting) for dose in case.doses],
        "verdict": Verdict(pair.verdict).label, "is_one": pair.verdict == Verdict.CERTAIN,
        "decided_by": person(f"user:{pair.decided_by}") if pair.is_decided else "", "decided_at": pair.decided_at,
    }  # fmt: skip


def _dose(dose: Immunization, catalog: Catalog, counts: bool) -> dict[str, Any]:
    origin = labels.ORIGIN.get(dose.report_origin, dose.report_origin)
    source = (
        SOURCE.get(dose.primary_source, "Source not said") if dose.primary_source is not None else "Source not said"
    )
    return {
        "id": dose.logical_id, "pk": dose.pk, "vaccine": vaccine_name(dose, catalog), "date": when(dose),
        "lot": dose.lot_number or "none", "source": f"{source}, {origin}".strip(", "), "counts": counts,
    }  # fmt: skip
