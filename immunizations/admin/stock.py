"""The stock page: lots by location, what became of their doses, and recalls with the list of who got the lot."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import groupby
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.template.response import TemplateResponse

from healthrecords.access.request import EMERGENCY, AccessRequest
from healthrecords.accounts import stepup
from healthrecords.console.lines import Line
from healthrecords.console.policy_admin import GONE, PolicyAdmin
from immunizations.admin import stock_forms as f
from immunizations.admin.words import titled
from immunizations.models import Immunization
from immunizations.stock import actions, listing
from immunizations.stock.listing import LotLine, Problem
from immunizations.stock.models import Lot, StockMovement
from immunizations.stock.recipients import Wanted, as_csv, recipients
from patients.models import Patient

KINDS = {
    Problem.RECALLED: "grave", Problem.EXPIRED: "grave", Problem.NEGATIVE: "caution", Problem.NEAR_EXPIRY: "caution",
    Problem.LOW: "calm",
}  # fmt: skip
MOVED = {
    "received": "Received", "used": "Given", "returned": "Given back", "wasted": "Lost",
    "expired": "Taken out, expired", "counted": "Counted", "transferred": "Moved",
}  # fmt: skip
MATCHES = {"certain": "This lot", "possible": "Look at the record"}


@dataclass(frozen=True)
class Deed:
    """Something that may be done with a lot on its page: its form, its function, what it asks of the policy."""

    title: str
    button: str
    form: type[forms.Form]
    do: Callable[[Lot, dict[str, Any], AccessRequest], Any]
    done: str
    interaction: str = "create"


def _waste(lot: Lot, said: dict[str, Any], by: AccessRequest) -> Any:
    return actions.waste(lot, said["quantity"], said["reason"], by)


def _count(lot: Lot, said: dict[str, Any], by: AccessRequest) -> Any:
    return actions.count(lot, said["quantity"], by, said["reason"])


def _threshold(lot: Lot, said: dict[str, Any], by: AccessRequest) -> Any:
    return actions.set_threshold(lot, said["quantity"], by)


def _expire(lot: Lot, said: dict[str, Any], by: AccessRequest) -> Any:
    return actions.expire(lot, by)


DEEDS = {
    "waste": Deed("Doses lost", "Enter loss", f.WasteForm, _waste, "The loss is entered."),
    "count": Deed("Count", "Enter count", f.CountForm, _count, "The count is entered."),
    "threshold": Deed("Threshold", "Set threshold", f.ThresholdForm, _threshold, "The threshold is set.", "update"),
    "expire": Deed("Expired doses", "Take out what is left", forms.Form, _expire, "The expired doses are taken out."),
}


@admin.register(Lot)
class LotAdmin(PolicyAdmin):
    """Lots: what is on hand, and what needs somebody's attention."""

    subject = actions.SUBJECT
    page_template = "immunizations/lot.html"

    def screens(self) -> dict[str, tuple[str, Any]]:
        return {
            "changelist": ("", self.stock_view),
            "receive": ("receive/", self.receive_view),
            "page": ("<str:object_id>/", self.page_view),
            "recall": ("<str:object_id>/recall/", self.recall_view),
            "recipients": ("<str:object_id>/recipients.csv", self.recipients_view),
        }

    def stock_view(self, request: HttpRequest) -> HttpResponse:
        """The lots of each location; narrowed to a place, or to what needs attention."""
        self.require(request, "search")
        place, every = request.GET.get("location", ""), "all" in request.GET
        lines = listing.lines(place, used_up=every)
        wrong = [line for line in lines if line.problems]
        shown = wrong if "problems" in request.GET else lines
        context = {
            "title": "Vaccine stock", "places": f.places(), "place": place, "every": every,
            "only_problems": "problems" in request.GET, "groups": self._groups(shown), "wrong": len(wrong),
            "receive_address": self.address("receive") if self.permits(request, "create") else "",
        }  # fmt: skip
        return self._plain(request, "immunizations/stock.html", context)

    def receive_view(self, request: HttpRequest) -> HttpResponse:
        """Doses that came in."""
        self.require(request, "create")
        form = f.DeliveryForm(request.POST or None, prefix="lot", initial={"location": request.GET.get("location", "")})
        if request.method == "POST" and form.is_valid():
            change = _tried(form, lambda: actions.receive(form.delivery(), self.asked(request, "create")))
            if change:
                messages.success(request, f"The delivery is entered: {change.on_hand} doses on hand.")
                return HttpResponseRedirect(self.address("page", change.lot.pk))
        context = {
            "title": "Receive vaccine", "form": form, "list_address": self.address("changelist"),
            "scan_address": _doses().address("scan"), "offers_address": _doses().address("offers"),
        }  # fmt: skip
        return self._plain(request, "immunizations/receive.html", context)

    def page_view(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        """A lot with its ledger, and what may be done with it."""
        self.require(request, "read", object_id)
        lot, name = self.lot(object_id), request.POST.get("do", "")
        form: Any = None
        if request.method == "POST" and name in DEEDS:
            deed, form = DEEDS[name], DEEDS[name].form(request.POST, prefix=name)
            self.require(request, deed.interaction, object_id)
            if form.is_valid() and _tried(form, lambda: deed.do(lot, form.cleaned_data, self.asked(request, "create"))):
                messages.success(request, deed.done)
                return HttpResponseRedirect(self.address("page", lot.pk))
        return self.page(request, self.page_template, lot, self._about(request, lot, {name: form} if form else {}))

    def recall_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Mark a lot as recalled, or take that back; below it, who got the lot."""
        self.require(request, "read", object_id)
        lot = self.lot(object_id)
        form = f.RecallForm(request.POST if request.POST.get("do") == "recall" else None)
        if request.method == "POST":
            self.require(request, "update", object_id)
            if self._recalled(request, lot, form):
                return HttpResponseRedirect(self.address("recall", lot.pk))
        rows = recipients(_wanted(lot), _doses().asked(request, "search")) if self._may_list(request) else []
        may_mark = self.permits(request, "update")
        context = {
            "title": "Recall", "subtitle": f"Lot {lot.lot_number}, {name_of(lot)}", "form": form, "rows": _told(rows),
            "people": len({row.patient for row in rows}), "may_list": self._may_list(request), "may_mark": may_mark,
            "csv_address": self.address("recipients", lot.pk) if may_mark and rows else "",
        }  # fmt: skip
        return self.page(request, "immunizations/recall.html", lot, context)

    def recipients_view(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        """Who got the lot, as a file; for those who may recall it, behind step-up."""
        self.require(request, "update", object_id)
        if not self._may_list(request) or _doses().asked(request, "search").purpose == EMERGENCY:
            raise PermissionDenied
        if asked := stepup.ask(request):
            return asked
        lot = self.lot(object_id)
        rows = recipients(_wanted(lot), _doses().asked(request, "search"), export=True)
        answer = HttpResponse(as_csv(rows), content_type="text/csv; charset=utf-8")
        answer["Content-Disposition"] = f'attachment; filename="recall-{lot.code}.csv"'
        answer["Cache-Control"] = "no-store"
        return answer

    def lot(self, key: str) -> Lot:
        """The lot of a key; raise Http404 where there is none."""
        try:
            return Lot.objects.get(pk=UUID(key))
        except (ValueError, Lot.DoesNotExist):
            raise Http404(GONE) from None

    def target(self, key: str) -> tuple[str, str | None] | None:
        return (f"Lot/{key[:64]}", None) if key else None

    def _recalled(self, request: HttpRequest, lot: Lot, form: Any) -> bool:
        by = self.asked(request, "update")
        if request.POST.get("do") == "undo":
            actions.undo_recall(lot, by)
            messages.success(request, "The recall is taken back; the access log keeps that it was there.")
            return True
        if not form.is_valid() or _tried(form, lambda: actions.recall(lot, form.cleaned_data["reason"], by)) is None:
            return False
        messages.success(request, "The lot is marked as recalled at all places. Below are the patients who got it.")
        return True

    def _may_list(self, request: HttpRequest) -> bool:
        return bool(_doses().permits(request, "search"))

    def _about(self, request: HttpRequest, lot: Lot, bound: dict[str, Any]) -> dict[str, Any]:
        line = listing.line_of(lot)
        offered = {
            name: (deed, bound.get(name) or deed.form(prefix=name))
            for name, deed in DEEDS.items()
            if self.permits(request, deed.interaction) and (name != "expire" or Problem.EXPIRED in line.problems)
        }
        return {
            "title": f"Lot {lot.lot_number}", "subtitle": name_of(lot), "line": line, "flags": _flags(line),
            "facts": _facts(line), "deeds": offered, "recall_address": self.address("recall", lot.pk),
            "movements": [_moved(each) for each in listing.movements_of(lot)],
        }  # fmt: skip

    def _groups(self, lines: list[LotLine]) -> list[tuple[str, list[dict[str, Any]]]]:
        """The lines by place, each with its address and flags."""
        ordered = sorted(lines, key=lambda line: (not line.location, line.location.casefold()))
        return [
            (place or "No place named", [self._row(line) for line in group])
            for place, group in groupby(ordered, key=lambda line: line.location)
        ]

    def _row(self, line: LotLine) -> dict[str, Any]:
        return {
            "line": line, "name": name_of(line.lot), "flags": _flags(line), "address": self.address("page", line.lot.pk)
        }  # fmt: skip

    def _plain(self, request: HttpRequest, template: str, context: dict[str, Any]) -> TemplateResponse:
        return TemplateResponse(request, template, {**self.admin_site.each_context(request), **context})


def name_of(lot: Lot) -> str:
    """The product's name, else the vaccine's."""
    return titled(lot.product) or listing.vaccine_name(lot.cvx)


def _tried(form: Any, do: Callable[[], Any]) -> Any:
    """What `do` answers; where the stock refuses, None, with its sentence in the form."""
    try:
        return do()
    except ValidationError as fault:
        form.add_error(None, fault)
        return None


def _doses() -> Any:
    return admin.site.get_model_admin(Immunization)


def _wanted(lot: Lot) -> Wanted:
    return Wanted(lot.lot_number, lot.cvx, lot.mvx)


def _told(rows: list[Any]) -> list[tuple[Any, str, str]]:
    """Each row with its match in words and the address of the patient's page."""
    people: Any = admin.site.get_model_admin(Patient)
    found = Patient.objects.filter(logical_id__in={row.patient for row in rows}).values_list("logical_id", "pk")
    addresses = {logical_id: people.address("page", key) for logical_id, key in found}
    return [(row, MATCHES[row.match], addresses[row.patient]) for row in rows]


def _flags(line: LotLine) -> list[tuple[str, str]]:
    return [(str(problem.label), KINDS[problem]) for problem in line.problems]


def _facts(line: LotLine) -> list[Line]:
    lot = line.lot
    expires = lot.expires.isoformat() if lot.expires else "Not entered"
    return [
        Line("Vaccine", listing.vaccine_name(lot.cvx), f"CVX {lot.cvx}"),
        Line("Product", titled(lot.product) or "Not named", lot.ndc),
        Line("Manufacturer", lot.mvx or "Not named"),
        Line("Expires", expires),
        Line("Funding", str(lot.get_funding_display())),
        Line("Location", line.location or "No place named"),
        Line("Listed below", f"{lot.threshold} doses" if lot.threshold else "Never"),
    ]


def _moved(each: StockMovement) -> dict[str, Any]:
    found = f"found {each.counted}" if each.counted is not None else ""
    other = each.other.location_id or "no place" if each.other else ""
    what = MOVED.get(each.kind, each.kind)
    author = each.author.partition(":")[2] or each.author
    return {"at": each.at, "what": what, "quantity": f"{each.quantity:+d}", "by": author,
            "why": " · ".join(filter(None, [each.reason, found, other]))}  # fmt: skip
