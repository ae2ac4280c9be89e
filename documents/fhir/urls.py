"""The addresses of Binary, and what the CapabilityStatement says of it."""

from django.urls import path

from .binary import BinariesView, BinaryView

urlpatterns = [
    path("Binary", BinariesView.as_view()),
    path("Binary/<logical_id>", BinaryView.as_view()),
]

CAPABILITIES = [
    {
        "type": "Binary",
        "documentation": "Raw content by its own media type, in ranges too, or as FHIR JSON. It never changes.",
        "interaction": [{"code": "read"}, {"code": "create"}],
        "versioning": "no-version",
        "conditionalRead": "not-match",
    }
]
