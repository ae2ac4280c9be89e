"""Binary (R4 §2.8): content of any type as raw bytes in and out, streamed, or as FHIR JSON."""

import base64
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any

from django.db import transaction
from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.request import Request
from rest_framework.response import Response

from documents import contents
from documents.fhir import ranges
from documents.fhir.visibility import visible_content
from documents.kinds import served_as
from documents.models import Content
from documents.receiving import body_of
from documents.scanning.gate import refuse_unless_clean
from healthrecords import trail
from healthrecords.access.request import AccessRequest, Disclosure, from_http
from healthrecords.fhir import interactions, validation
from healthrecords.fhir.answer import base_url, http_date
from healthrecords.fhir.outcome import FHIRError, Issue
from healthrecords.fhir.parsers import FHIRJSONParser
from healthrecords.fhir.primitives import CODE
from healthrecords.fhir.renderers import MEDIA_TYPE
from healthrecords.fhir.store import instant
from healthrecords.fhir.views import FHIRView
from healthrecords.jsontext import dump_json

_JSON_TYPES = frozenset({MEDIA_TYPE, "json", "application/json", "text/json", "application/fhir json"})
# What was uploaded is data: a browser must neither guess its type nor run anything in it.
_HARMLESS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Content-Disposition": "attachment",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "private, no-cache",
    "Vary": "Accept, Authorization",
}


class _AnyType(BaseContentNegotiation):
    """Content has whatever type it has; errors are FHIR JSON."""

    def select_parser(self, request: Any, parsers: Any) -> Any:
        return parsers[0]

    def select_renderer(self, request: Any, renderers: Any, format_suffix: str | None = None) -> Any:
        return renderers[0], MEDIA_TYPE


class _ContentView(FHIRView):
    """Asks the policy before anything else, as the view set of the other types does."""

    content_negotiation_class = _AnyType
    interaction = "read"
    asked: AccessRequest | None = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if request.method in ("GET", "HEAD", "POST"):
            self.asked = from_http(request, self.actor, self.interaction, "Binary")
            interactions.require(self.asked)

    @property
    def _asked(self) -> AccessRequest:
        assert self.asked is not None  # noqa: S101  # nosec B101  initial() has set it, or refused
        return self.asked


class BinariesView(_ContentView):
    """POST new content: 201 with its address."""

    interaction = "create"

    def post(self, request: Request) -> Response:
        pieces, claimed = _sent(request)
        with contents.kept(pieces, claimed, self.actor) as content, transaction.atomic():
            content.save(force_insert=True)
            _disclose(self._asked, content, [])
        headers = {"Location": f"{base_url()}/Binary/{content.pk}", "ETag": _tag(content, as_json=True)}
        minimal = "return=minimal" in request.headers.get("Prefer", "")
        return Response(None if minimal else _frame(content), status=201, headers=headers)


class BinaryView(_ContentView):
    """GET (or HEAD) content: raw, a range of it, or as FHIR JSON when that is asked for."""

    def get(self, request: Request, logical_id: str) -> HttpResponseBase:
        content, patients = visible_content(self._asked, logical_id)
        refuse_unless_clean(content)
        as_json = _wants_json(request)
        headers = _headers(content, as_json)
        if ranges.names(request.headers.get("If-None-Match", ""), headers["ETag"]):
            _disclose(self._asked, content, patients)
            return HttpResponse(status=304, headers=headers)
        span = None if as_json else _span(request, content, headers["ETag"])
        if request.method == "HEAD":
            _disclose(self._asked, content, patients)
            return HttpResponse(headers={**headers, "Content-Length": str(content.size)} if not as_json else headers)
        return self._streamed(content, patients, span, headers, as_json)

    def _streamed(
        self,
        content: Content,
        patients: list[str],
        span: tuple[int, int] | None,
        headers: dict[str, str],
        as_json: bool,
    ) -> HttpResponseBase:
        """Open the content first, then write the access down, then let the first byte leave."""
        start, end = span or (0, content.size)
        pieces = contents.part(content, start, end) if span else contents.whole(content)
        opened = chain([next(pieces)], pieces)
        _disclose(self._asked, content, patients)
        if as_json:
            return StreamingHttpResponse(_as_json(content, opened), headers=headers)
        headers = {**headers, "Content-Length": str(end - start)}
        if span:
            headers["Content-Range"] = f"bytes {start}-{end - 1}/{content.size}"
        return StreamingHttpResponse(opened, status=206 if span else 200, headers=headers)


def _disclose(asked: AccessRequest, content: Content, patients: list[str]) -> None:
    """Write the access down; what stops this stops the answer."""
    shown = Disclosure("Binary", [(str(content.pk), 1, patients)])
    with transaction.atomic():
        trail.record(asked, trail.disclosed(asked.interaction, [shown]))


# --- In -----------------------------------------------------------------------------------------------------------


def _sent(request: Request) -> tuple[Iterable[bytes], str]:
    """The content that a request brings and the type it claims; raise FHIRError for what is no content."""
    claimed = request.content_type or ""
    if claimed.partition(";")[0].strip().lower() == MEDIA_TYPE:
        body = FHIRJSONParser().parse(request._request)
        return _decoded(body)
    length = int(request.META.get("CONTENT_LENGTH") or 0)
    contents.refuse_too_large(length)
    kind = claimed.strip()
    if not length:
        raise FHIRError.of(400, "required", "The request brings no content.", "Binary.data")
    if len(kind) > 200 or not CODE.fullmatch(kind):
        raise FHIRError.of(400, "required", "The Content-Type must say what the content is.", "Binary.contentType")
    return body_of(request._request, length), kind


def _decoded(body: Any) -> tuple[list[bytes], str]:
    """The content of a Binary in FHIR JSON."""
    if not isinstance(body, dict) or body.get("resourceType") != "Binary":
        raise FHIRError.of(400, "structure", f"A body of type {MEDIA_TYPE} must be a Binary.", "resourceType")
    faults = [issue for issue in validation.validate(body, "Binary", []) if issue.severity in ("error", "fatal")]
    if not faults and not body.get("data"):
        faults = [Issue("required", "brings no content", "Binary.data")]
    if faults:
        raise FHIRError(422, faults)
    return [base64.b64decode(body["data"])], str(body["contentType"])


# --- Out ----------------------------------------------------------------------------------------------------------


def _wants_json(request: Request) -> bool:
    """Whether `_format`, or an Accept header by name, asks for FHIR JSON rather than the content itself (§2.8.1)."""
    asked = request.query_params.get("_format") or request.headers.get("Accept", "")
    names = {each.partition(";")[0].strip().lower() for each in asked.split(",")}
    return not names.isdisjoint(_JSON_TYPES)


def _headers(content: Content, as_json: bool) -> dict[str, str]:
    return {
        **_HARMLESS,
        "Content-Type": f"{MEDIA_TYPE}; charset=utf-8" if as_json else served_as(content.claimed_type),
        "ETag": _tag(content, as_json),
        "Last-Modified": http_date(content.created_at),
        **({} if as_json else {"Accept-Ranges": "bytes"}),
    }


def _tag(content: Content, as_json: bool) -> str:
    """The version of the resource, or the checksum of the bytes: a range may be joined to another by it."""
    return 'W/"1"' if as_json else f'"{content.digest}"'


def _span(request: Request, content: Content, tag: str) -> tuple[int, int] | None:
    """The range asked for, unless If-Range says that it would not fit; raise FHIRError 416."""
    if request.headers.get("If-Range", tag).strip() != tag:
        return None
    try:
        return ranges.wanted(request.headers.get("Range", ""), content.size)
    except ranges.Unsatisfiable:
        error = FHIRError.of(416, "value", f"The content has {content.size} bytes; none is in the range.")
        error.headers["Content-Range"] = f"bytes */{content.size}"
        raise error from None


def _frame(content: Content) -> dict[str, Any]:
    """The resource without its content."""
    meta = {"versionId": "1", "lastUpdated": instant(content.created_at)}
    return {"resourceType": "Binary", "id": str(content.pk), "meta": meta, "contentType": content.claimed_type}


def _as_json(content: Content, pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The resource in FHIR JSON, the content in base64 as it comes."""
    yield dump_json(_frame(content)).removesuffix(b"}") + b',"data":"'
    held = b""
    for piece in pieces:
        held += piece
        cut = len(held) - len(held) % 3
        yield base64.b64encode(held[:cut])
        held = held[cut:]
    yield base64.b64encode(held) + b'"}'
