"""Content to the browser: to look at in the page, or as a file; each with its row before the first byte.

Chromium shows no PDF in a frame that has a `sandbox` attribute, and shows it under a `sandbox` directive of the
response: the directive is the stricter of the two, since it also holds when the address is opened by itself. The PDF
viewer is the browser's own, in an origin and a process of its own; what the PDF brings along never has ours.
"""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import content_disposition_header

from documents.admin import preview
from documents.fhir.visibility import visible_content
from documents.models import Content
from healthrecords import trail
from healthrecords.access import policy
from healthrecords.access.request import AccessRequest, Disclosure
from healthrecords.console.minutes import asked_of, minutes_of
from healthrecords.fhir.outcome import FHIRError

_HARMLESS = {
    "Content-Security-Policy": "default-src 'none'; sandbox; frame-ancestors 'self'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_SUFFIXES = {
    "application/pdf": ".pdf", "image/png": ".png", "image/jpeg": ".jpg", "image/gif": ".gif", "image/webp": ".webp",
    "image/bmp": ".bmp", "text/plain": ".txt", "application/json": ".json", "application/xml": ".xml",
    "application/hl7-cda+xml": ".xml", "text/html": ".html", "image/svg+xml": ".svg", "application/zip": ".zip",
}  # fmt: skip


def may_open(request: HttpRequest, interaction: str = "read") -> bool:
    """Whether the person's roles open content at all."""
    return policy.permit(asked_of(request, interaction, "Binary")).permitted


def note(asked: AccessRequest, request: HttpRequest, content: Content, patients: list[str]) -> None:
    """Note that content is shown, given out or filed."""
    shown = Disclosure("Binary", [(str(content.pk), 1, patients)])
    minutes_of(request).note(asked, trail.disclosed(asked.interaction, [shown]))


def seen(request: HttpRequest, key: str) -> Content:
    """The content of that key, noted as read; raise Http404 for what the person may not see."""
    asked = asked_of(request, "read", "Binary")
    try:
        content, patients = visible_content(asked, key)
    except FHIRError:
        raise Http404("There is no such content.") from None
    note(asked, request, content, patients)
    return content


def shown(content: Content) -> HttpResponseBase:
    """The content for a frame or picture of the page, under the type that its bytes have; raise Http404 for another."""
    if content.true_type not in preview.PICTURES | preview.IN_FRAME:
        raise Http404("This content is not shown in a page.")
    return _sent(content, content.true_type, {})


def downloaded(content: Content, title: str) -> HttpResponseBase:
    """The content as a file."""
    name = f"{title or 'document'}".replace("/", "-")[:100] + _SUFFIXES.get(content.true_type, "")
    attached: Any = content_disposition_header(True, name)
    return _sent(content, "application/octet-stream", {"Content-Disposition": attached})


def _sent(content: Content, kind: str, more: dict[str, str]) -> HttpResponseBase:
    try:
        pieces = preview.opened(content)
    except FHIRError as fault:
        return HttpResponse(fault.text, "text/plain; charset=utf-8", fault.status, headers=_HARMLESS)
    headers = {**_HARMLESS, **more, "Content-Length": str(content.size)}
    return StreamingHttpResponse(pieces, content_type=kind, headers=headers)
