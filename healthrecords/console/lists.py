"""A list of records: its columns, its rows, each of which leads to the record's page, and the way to the next page."""

from dataclasses import dataclass, field
from typing import Any

from django.contrib.admin.views.main import ORDER_VAR, PAGE_VAR
from django.urls import reverse
from unfold.views import ChangeList

FARTHEST = 100_000  # page


@dataclass(frozen=True)
class Column:
    """A column's title, how it is sorted now, and the address that sorts by it."""

    title: str
    sorted: str = ""
    address: str = ""


@dataclass(frozen=True)
class Cell:
    title: str
    text: str


@dataclass(frozen=True)
class Row:
    """A record in the list; `flags` stand beside its name."""

    address: str
    cells: list[Cell]
    flags: list[Any] = field(default_factory=list)


class RecordList(ChangeList):
    """Django's list without a count: one row more than a page tells whether there is another page."""

    has_next = False
    page_num: int

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        name = self.model_admin.list_title or str(self.opts.verbose_name_plural)
        self.title = name[:1].upper() + name[1:]

    def get_results(self, request: Any) -> None:
        """Fetch the page once, so that the rows recorded are the rows shown."""
        self.page_num = min(max(self.page_num, 1), FARTHEST)
        size, start = self.list_per_page, (self.page_num - 1) * self.list_per_page
        rows = list(self.queryset[start : start + size + 1])
        self.result_list, self.has_next = rows[:size], len(rows) > size
        self.result_count = self.full_result_count = len(self.result_list)
        self.show_full_result_count = self.show_admin_actions = self.can_show_all = self.multi_page = False
        self.paginator = None

    @property
    def is_narrowed(self) -> bool:
        """Whether a search or a filter is in force."""
        return bool(self.query or any(spec.value() for spec in self.filter_specs))

    @property
    def order_asked(self) -> str:
        return str(self.params.get(ORDER_VAR, ""))

    @property
    def previous_address(self) -> str:
        return self._at(self.page_num - 1) if self.page_num > 1 else ""

    @property
    def next_address(self) -> str:
        return self._at(self.page_num + 1) if self.has_next else ""

    @property
    def columns(self) -> list[Column]:
        return [self._column(name, place) for place, name in enumerate(self.list_display)]

    @property
    def rows(self) -> list[Row]:
        return [self._row(record) for record in self.result_list]

    def _at(self, page: int) -> str:
        return self.get_query_string({PAGE_VAR: page})

    def _column(self, name: str, place: int) -> Column:
        title = str(getattr(self.model_admin, name).short_description)
        if name not in self.sortable_by:
            return Column(title)
        now = self.get_ordering_field_columns().get(place, "")
        address = self.get_query_string({ORDER_VAR: f"-{place}" if now == "asc" else str(place)}, [PAGE_VAR])
        return Column(title, {"asc": "ascending", "desc": "descending"}.get(now, ""), address)

    def _row(self, record: Any) -> Row:
        screen = self.model_admin
        told = zip(self.list_display, self.columns, strict=True)
        cells = [Cell(column.title, str(getattr(screen, name)(record))) for name, column in told]
        return Row(self.url_for_result(record), cells, screen.row_flags(record))

    def url_for_result(self, result: Any) -> str:
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_page", args=[result.pk])
