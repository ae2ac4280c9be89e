"""The address of the operation, and what the CapabilityStatement says of it: nothing, since it is no type."""

from typing import Any

from django.urls import path

from .operation import BreakGlassView

urlpatterns = [path("Patient/<logical_id>/$break-glass", BreakGlassView.as_view())]

CAPABILITIES: list[dict[str, Any]] = []
