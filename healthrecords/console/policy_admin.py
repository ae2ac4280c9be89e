"""Screens that ask the access policy: a list, and a page for each row of it."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.forms import Media
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from unfold.admin import ModelAdmin

from healthrecords.access import policy
from healthrecords.access.request import AccessRequest
from healthrecords.console.lists import RecordList
from healthrecords.console.minutes import asked_of, minutes_of

GONE = "There is no such record; perhaps it was deleted."


class PolicyAdmin(ModelAdmin):
    """Screens of one model. `subject` is what the policy is asked about."""

    subject = ""
    actions = None
    show_full_result_count = False
    list_per_page = 25
    preserve_filters = False
    sortable_by: Any = ()
    page_template = "console/record.html"
    list_title = ""  # else the model's name
    add_words = ""
    change_list_template = "console/list.html"

    @property
    def media(self) -> Media:
        """Nothing: a form brings what its own fields need."""
        return Media()

    def asked(self, request: HttpRequest, interaction: str) -> AccessRequest:
        """What this request asks the policy for."""
        return asked_of(request, interaction, self.subject)

    def permits(self, request: HttpRequest, interaction: str) -> bool:
        """Whether the interaction is open to the person at all."""
        return policy.permit(self.asked(request, interaction)).permitted

    def require(self, request: HttpRequest, interaction: str, key: str = "") -> None:
        """Note what is asked for, about which row; raise PermissionDenied unless it is open to the person."""
        minutes = minutes_of(request)
        minutes.asked = self.asked(request, interaction)
        minutes.target = self.target(key)
        if not self.permits(request, interaction):
            raise PermissionDenied

    def target(self, key: str) -> tuple[str, str | None] | None:
        """What an address names, for the trail: `Type/id`, and the patient that it is about."""
        return (f"{self.model.__name__}/{key[:64]}", None) if key else None

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.permits(request, "search")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.permits(request, "create")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.permits(request, "update")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.permits(request, "delete")

    def get_urls(self) -> list[URLPattern]:
        """The addresses of the screens, each guarded and recorded by the site."""
        info = f"{self.opts.app_label}_{self.opts.model_name}"
        made = self.admin_site.admin_view
        return [path(at, made(view), name=f"{info}_{name}") for name, (at, view) in self.screens().items()]

    def screens(self) -> dict[str, tuple[str, Any]]:
        """Each screen's name with its address and view."""
        return {"changelist": ("", self.changelist_view), "page": ("<str:object_id>/", self.page_view)}

    def address(self, screen: str, *args: Any) -> str:
        """The address of one of these screens."""
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_{screen}", args=args)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        self.require(request, "search")
        can_add = "add" in self.screens() and self.has_add_permission(request)
        words = self.add_words or f"Add {self.opts.verbose_name}"
        adding = {"add_address": self.address("add") if can_add else "", "add_words": words}
        return super().changelist_view(request, {**adding, **(extra_context or {})})

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[RecordList]:
        return RecordList

    def get_changelist_instance(self, request: HttpRequest) -> RecordList:
        """The list, with the note of what it shows and of what was searched for."""
        page = super().get_changelist_instance(request)
        self.listed(request, page.result_list, "&".join(f"{name}={value}" for name, value in request.GET.items()))
        return page

    def listed(self, request: HttpRequest, rows: list[Any], query: str) -> None:
        """Note the rows of a list, where looking at them is to be recorded."""

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """No lookups by address but the named filters."""
        return lookup in {each.parameter_name for each in self.list_filter}

    def row_flags(self, record: Any) -> list[Any]:
        """What stands beside a row's name in the list."""
        return []

    def page_view(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        """The page of one row, to read."""
        self.require(request, "read", object_id)
        row = self.found(request, object_id)
        return self.page(request, self.page_template, row, self.page_context(request, row))

    def found(self, request: HttpRequest, key: str) -> Any:
        """The row of that key; raise Http404 where there is none."""
        row = super().get_object(request, key)
        if row is None:
            raise Http404(GONE)
        return row

    def page_context(self, request: HttpRequest, record: Any) -> dict[str, Any]:
        """What the page's template shows."""
        return {}

    def page(self, request: HttpRequest, template: str, row: Any, context: dict[str, Any]) -> TemplateResponse:
        """A page about `row` in the frame of the site."""
        shared = {
            **self.admin_site.each_context(request),
            "title": str(row),
            "opts": self.opts,
            "original": row,
            "list_address": self.address("changelist"),
            "page_address": self.address("page", row.pk),
        }
        return TemplateResponse(request, template, {**shared, **context})
