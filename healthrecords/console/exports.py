"""What a list shows as a file: behind step-up, and recorded as an export before it leaves."""

from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from unfold.admin import ModelAdmin

from healthrecords import trail
from healthrecords.accounts import stepup
from healthrecords.console.minutes import minutes_of
from healthrecords.console.policy_admin import PolicyAdmin
from healthrecords.spreadsheet import as_csv

MOST = 10_000  # rows of a file


class ExportableAdmin(PolicyAdmin):
    """A list with a button that downloads what it lists, narrowed as it is."""

    def screens(self) -> dict[str, tuple[str, Any]]:
        return {"export": ("export.csv", self.export_view), **super().screens()}

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        address = f"{self.address('export')}?{request.GET.urlencode()}"
        return super().changelist_view(request, {"export_address": address, **(extra_context or {})})

    def export_view(self, request: HttpRequest) -> HttpResponseBase:
        """The rows of the list, all pages of it, as CSV."""
        self.require(request, "search")
        if asked := stepup.ask(request):
            return asked
        page = ModelAdmin.get_changelist_instance(self, request)  # ours would note a look at the list
        titles = [column.title for column in page.columns]
        rows = [[getattr(self, name)(row) for name in self.list_display] for row in page.queryset[:MOST]]
        return self.as_file(request, page.title.lower(), titles, rows)

    def as_file(
        self, request: HttpRequest, name: str, titles: Sequence[str], rows: Sequence[Sequence[Any]]
    ) -> HttpResponse:
        """A table as a file, with its note for the trail: how many rows, and what they were narrowed by."""
        terms = "&".join(f"{term}={value}" for term, value in request.GET.items())
        fact = trail.Fact("export", detail=f"{name}: {len(rows)} rows as CSV", query=terms)
        minutes_of(request).note(self.asked(request, "search").to("export"), [fact])
        answer = HttpResponse(as_csv(titles, rows), content_type="text/csv; charset=utf-8")
        answer["Content-Disposition"] = f'attachment; filename="{name.replace(" ", "-")}.csv"'
        answer["Cache-Control"] = "no-store"
        return answer
