"""The addresses of AuditEvent, and what the CapabilityStatement says of it."""

from django.urls import path

from .searching import SEARCH
from .views import EventsView, EventView, SearchView

urlpatterns = [
    path("AuditEvent", EventsView.as_view()),
    path("AuditEvent/_search", SearchView.as_view()),
    path("AuditEvent/<logical_id>", EventView.as_view()),
]

CAPABILITIES = [
    {
        "type": "AuditEvent",
        "documentation": "The trail, for those who oversee it. It never changes; each look at it is itself in it.",
        "interaction": [{"code": "read"}, {"code": "search-type"}],
        "versioning": "no-version",
        "searchParam": [{"name": each.name, "type": each.type} for each in sorted(SEARCH, key=lambda each: each.name)],
    }
]
