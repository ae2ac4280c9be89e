"""The search of a pick list (an organization, a practitioner): what it shows is recorded like any search."""

from typing import Any

from django.contrib.admin.views.autocomplete import AutocompleteJsonView
from django.http import HttpRequest


class PickList(AutocompleteJsonView):
    """Django's own, asked of the policy as a search, with a row for each patient that it names."""

    model_admin: Any

    def has_perm(self, request: HttpRequest, obj: Any = None) -> bool:
        self.model_admin.require(request, "search")
        return True

    def get_context_data(self, *, object_list: Any = None, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(object_list=object_list, **kwargs)
        context["object_list"] = list(context["object_list"])
        self.model_admin.note(self.request, "search", context["object_list"], query=f"term={self.term}")
        return context
