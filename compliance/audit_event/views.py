"""AuditEvent over HTTP: who may read the trail reads it here, and each look leaves its own row; writes are 405."""

from typing import Any

from django.db import transaction
from rest_framework.parsers import FormParser
from rest_framework.request import Request
from rest_framework.response import Response

from compliance.audit_event import codes, rendering
from compliance.audit_event.searching import Trail, key_of, page_of
from compliance.phi_access.models import AccessEvent
from healthrecords import trail
from healthrecords.access.request import AccessRequest, from_http
from healthrecords.fhir import interactions, listing
from healthrecords.fhir.answer import base_url
from healthrecords.fhir.outcome import not_found
from healthrecords.fhir.search import query
from healthrecords.fhir.shaping import Shape
from healthrecords.fhir.views import FHIRView, form_of, pairs_of
from healthrecords.jsontext import dump_json

TRAIL: Any = Trail()


class _TrailView(FHIRView):
    interaction = "search"
    action = "search"  # what the throttle charges for
    asked: AccessRequest | None = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Ask the policy before anything is read; a method that there is not is refused with 405."""
        super().initial(request, *args, **kwargs)
        if hasattr(self, (request.method or "").lower()) or request.method == "HEAD":
            self.asked = from_http(request, self.actor, self.interaction, TRAIL.name)
            interactions.require(self.asked)

    @property
    def _asked(self) -> AccessRequest:
        assert self.asked is not None  # noqa: S101  # nosec B101  initial() has set it, or refused
        return self.asked

    def _found(self, pairs: list[tuple[str, str]]) -> Response:
        with transaction.atomic():
            return Response(search(self._asked, pairs))


class EventsView(_TrailView):
    """GET AuditEvent?…"""

    def get(self, request: Request) -> Response:
        return self._found(pairs_of(request))


class SearchView(_TrailView):
    """POST AuditEvent/_search: the terms of the address and of the form count alike (R4 §3.1.1.3)."""

    parser_classes = (FormParser,)

    def post(self, request: Request) -> Response:
        return self._found(pairs_of(request) + form_of(request))


class EventView(_TrailView):
    """GET AuditEvent/id."""

    interaction = action = "read"

    def get(self, request: Request, logical_id: str) -> Response:
        shape = interactions.shape_of(TRAIL, self._asked, pairs_of(request))
        with transaction.atomic():
            key = key_of(logical_id)
            event = AccessEvent.objects.filter(pk=key).first() if key else None
            if event is None:
                raise not_found(TRAIL.name)
            name = f"{TRAIL.name}/{event.pk}"
            trail.record(self._asked, [trail.Fact("read", resources=(name,), versions=(0,))])
            return Response(shape.one(TRAIL, _text(event)))


def search(asked: AccessRequest, pairs: list[tuple[str, str]]) -> dict[str, Any]:
    """Return the searchset of what `pairs` ask for; the look itself leaves one row."""
    state, pairs = listing.resume(TRAIL, asked, pairs, "search")
    wanted = query.parse(TRAIL, pairs, asked)
    every: Any = AccessEvent.objects.annotate(word=codes.WORD)
    rows: Any = wanted.narrow(every)
    counted = wanted.summary == "count"
    page, following = ([], {}) if counted else page_of(rows, wanted.order == ("time",), wanted.count, state)
    total = rows.count() if counted or wanted.total != "none" else None
    fact = trail.Fact("search", detail=f"access log: {len(page)} rows", query=wanted.text)
    trail.record(asked, [fact])
    shape = Shape(wanted.summary, wanted.elements)
    links = listing.links_of(f"{base_url()}/{TRAIL.name}", pairs, following, listing.holder_of(TRAIL, asked, "search"))
    return listing.bundle_of("searchset", links, [_entry(event, shape) for event in page], total)


def _entry(event: AccessEvent, shape: Shape) -> dict[str, Any]:
    address = f"{base_url()}/{TRAIL.name}/{event.pk}"
    return {"fullUrl": address, "resource": shape.entry(TRAIL, _text(event)), "search": {"mode": "match"}}


def _text(event: AccessEvent) -> str:
    return dump_json(rendering.as_fhir(event)).decode()
