"""Filters of a list: a few named choices, or a text, each a condition of its own."""

from typing import Any

from django.contrib.admin import SimpleListFilter
from django.http import HttpRequest


class ChoiceFilter(SimpleListFilter):
    """Narrow by one of `choices_offered`: by its condition, or by equality with `column`."""

    title = parameter_name = ""
    column = ""
    choices_offered: dict[str, str] = {}
    conditions: dict[str, dict[str, Any]] = {}

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return list(self.choices_offered.items())

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        chosen = self.value()
        if chosen not in self.choices_offered:
            return queryset
        return queryset.filter(**self.conditions.get(chosen, {self.column: chosen}))


class TextFilter(SimpleListFilter):
    """Narrow by a text that is typed; `condition` says how."""

    title = parameter_name = ""
    is_text = True
    hint = ""

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return []

    def has_output(self) -> bool:
        return True

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        text = (self.value() or "").strip()
        return self.condition(request, queryset, text) if text else queryset

    def condition(self, request: HttpRequest, queryset: Any, text: str) -> Any:
        """The rows of `queryset` that fit `text`."""
        raise NotImplementedError
