"""The addresses of the FHIR API: the same set for each served type."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http.response import HttpResponseBase
from django.urls import URLPattern, URLResolver, include, path, re_path
from rest_framework.parsers import FormParser

from .resource import registry
from .views import BundleView, CapabilityView, NothingHere, ResourceViewSet


def _routes(name: str) -> list[URLPattern | URLResolver]:
    def view(actions: dict[str, Any], **options: Any) -> Callable[..., HttpResponseBase]:
        return ResourceViewSet.as_view(actions, resource_type=name, **options)

    below = [
        path("_search", view({"post": "search_by_post"}, parser_classes=(FormParser,))),
        path("_history", view({"get": "type_history"})),
        path("$validate", view({"post": "validate"})),
        path("<logical_id>/$validate", view({"get": "validate_stored", "post": "validate_stored"})),
        path("<logical_id>", view({"get": "read", "put": "update", "delete": "destroy"})),
        path("<logical_id>/_history", view({"get": "instance_history"})),
        path("<logical_id>/_history/<number>", view({"get": "vread"})),
    ]
    return [path(name, view({"get": "search", "post": "create"})), path(f"{name}/", include(below))]


def _others() -> list[URLResolver]:
    """The addresses of types whose interactions are their own (setting FHIR_URLS)."""
    return [path("", include(module)) for module in settings.FHIR_URLS]


urlpatterns = [
    path("", BundleView.as_view(), name="base"),
    path("metadata", CapabilityView.as_view(), name="capability"),
    *(route for name in registry() for route in _routes(name)),
    *_others(),
    re_path(r"^(?P<rest>.*)$", NothingHere.as_view()),
]
