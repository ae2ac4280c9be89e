"""The console's page of charts: what the server was like over a day, a week, a month or a year."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone

from healthrecords.console.policy_admin import PolicyAdmin

from .chart import Chart, said
from .figures import GROUPS, Figure
from .models import Figures, Sample
from .ranges import RANGES, Range


@dataclass(frozen=True)
class Panel:
    """A chart with its table: for each longer step its begin, and the lowest, mean and highest value."""

    chart: Chart
    rows: list[tuple[str, str, str, str]]

    @property
    def latest(self) -> str:
        return said(self.chart.latest, self.chart.figure.unit)

    @property
    def limit(self) -> str:
        limit = self.chart.figure.limit
        return "" if limit is None else said(limit, self.chart.figure.unit)


@admin.register(Sample)
class SampleAdmin(PolicyAdmin):
    """One page; nothing of it can be changed."""

    subject = "Operations"

    def screens(self) -> dict[str, tuple[str, Any]]:
        return {"changelist": ("", self.changelist_view)}

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Show the charts of the range that is asked for, else of a day."""
        self.require(request, "search")
        shown, now = RANGES.get(request.GET.get("range", ""), RANGES["day"]), timezone.now()
        steps = shown.steps(now)
        context = {
            **self.admin_site.each_context(request),
            "title": "Charts",
            "ranges": RANGES.values(),
            "shown": shown,
            "labels": shown.labels(now),
            "width": len(steps),
            "any": any(steps),
            "groups": [(title, [panel(figure, shown, steps, now) for figure in group]) for title, group in GROUPS],
        }
        return TemplateResponse(request, "ops/charts.html", context)


def panel(figure: Figure, shown: Range, steps: list[list[Figures]], now: datetime) -> Panel:
    """The chart and the table of one figure."""
    values = [figure.fold(each.get(figure.name) for each in step) for step in steps]
    return Panel(Chart(figure, values, [bool(step) for step in steps]), _rows(figure, shown, values, now))


def _rows(figure: Figure, shown: Range, values: list[float | None], now: datetime) -> list[tuple[str, str, str, str]]:
    """The table: newest first."""
    begin, _ = shown.window(now)
    many = shown.row // shown.step
    rows = [
        (_when(begin + number * shown.row), values[number * many : (number + 1) * many])
        for number in range(shown.length // shown.row)
    ]
    return [(when, *_spread(figure, part)) for when, part in reversed(rows)]


def _when(time: datetime) -> str:
    return timezone.localtime(time).strftime("%b %d, %H:%M")


def _spread(figure: Figure, values: list[float | None]) -> tuple[str, str, str]:
    known = [value for value in values if value is not None]
    if not known:
        return ("none",) * 3
    low, mean, high = (said(each, figure.unit) for each in (min(known), sum(known) / len(known), max(known)))
    return low, mean, high
