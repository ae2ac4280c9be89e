"""The FHIR API over HTTP: finds out who asks for what, has the policy asked, hands over to the interactions."""

from typing import Any, cast
from urllib.parse import parse_qsl

from django.http import HttpRequest, QueryDict
from rest_framework.exceptions import NotFound
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework.viewsets import ViewSet

from healthrecords.access import acting
from healthrecords.access.request import AccessRequest, Actor, from_http

from . import bundle, capability, interactions, listing, operations, throttle
from .answer import Answer
from .conditions import of_request
from .outcome import FHIRError
from .resource import Resource, registry
from .search import query

# What each action of the view set asks the policy for. A list of versions of a whole type is a search.
INTERACTIONS = {
    "search": "search", "search_by_post": "search", "create": "create", "read": "read", "vread": "read",
    "update": "update", "destroy": "delete", "instance_history": "history", "type_history": "search",
    "validate": "read", "validate_stored": "read",
}  # fmt: skip


class FHIRView(APIView):
    """What all views of the API have in common: who asks, and that no cache keeps an answer.

    An answer from a cache would be a disclosure without its row in the trail.
    """

    http_method_names = ("get", "head", "post", "put", "patch", "delete")
    actor: Actor

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Sign the request in."""
        if "chunked" in request.headers.get("Transfer-Encoding", "").lower():
            raise FHIRError.of(411, "invalid", "Send the body with a Content-Length, not in chunks.")
        super().initial(request, *args, **kwargs)
        self.actor = cast(Actor, request.user)
        acting.begin_http(request._request, self.actor)
        self.charge(throttle.cost(request.method or "", getattr(self, "action", None) or "", dict(pairs_of(request))))

    def charge(self, units: int) -> None:
        """Take units from what the client may ask for; raises Throttled."""
        throttle.charge(f"{self.actor.kind}:{self.actor.id}", units)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        response = super().finalize_response(request, response, *args, **kwargs)
        response.headers.setdefault("Cache-Control", "no-store")
        return response


class ResourceViewSet(FHIRView, ViewSet):
    """All interactions on the type named by `resource_type`."""

    resource_type: str = ""
    asked: AccessRequest | None = None

    @property
    def resource(self) -> Resource:
        return registry()[self.resource_type]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Sign the request in, then ask the policy whether the interaction is open to the actor at all."""
        super().initial(request, *args, **kwargs)
        if self.action not in INTERACTIONS:
            return  # the method is refused with 405
        self.asked = from_http(request, self.actor, INTERACTIONS[self.action], self.resource_type)
        interactions.require(self.asked)

    def search(self, request: Request) -> Response:
        return _respond(listing.search(self.resource, self._asked, pairs_of(request)))

    def search_by_post(self, request: Request) -> Response:
        """The terms of the address and of the form count alike (R4 §3.1.1.3)."""
        return _respond(listing.search(self.resource, self._asked, pairs_of(request) + form_of(request)))

    def create(self, request: Request) -> Response:
        interactions.refuse_parameters(pairs_of(request))
        return _respond(interactions.create(self.resource, self._asked, request.data, of_request(request)))

    def read(self, request: Request, logical_id: str) -> Response:
        shape = interactions.shape_of(self.resource, self._asked, pairs_of(request))
        return _respond(interactions.read(self.resource, self._asked, logical_id, of_request(request), shape))

    def vread(self, request: Request, logical_id: str, number: str) -> Response:
        interactions.refuse_parameters(pairs_of(request))
        return _respond(interactions.vread(self.resource, self._asked, logical_id, number))

    def update(self, request: Request, logical_id: str) -> Response:
        interactions.refuse_parameters(pairs_of(request))
        body, conditions = request.data, of_request(request)
        return _respond(interactions.update(self.resource, self._asked, logical_id, body, conditions))

    def destroy(self, request: Request, logical_id: str) -> Response:
        interactions.refuse_parameters(pairs_of(request))
        return _respond(interactions.delete(self.resource, self._asked, logical_id, of_request(request)))

    def instance_history(self, request: Request, logical_id: str) -> Response:
        return _respond(listing.history(self.resource, self._asked, logical_id, pairs_of(request)))

    def type_history(self, request: Request) -> Response:
        return _respond(listing.history(self.resource, self._asked, None, pairs_of(request)))

    def validate(self, request: Request) -> Response:
        return _respond(operations.validate_sent(self.resource, request.data, _profiles(request)))

    def validate_stored(self, request: Request, logical_id: str) -> Response:
        body = request.data if request.method == "POST" else None
        return _respond(operations.validate_stored(self.resource, self._asked, logical_id, body, _profiles(request)))

    @property
    def _asked(self) -> AccessRequest:
        assert self.asked is not None  # noqa: S101  # nosec B101  initial() has set it, or refused
        return self.asked


class BundleView(FHIRView):
    """POST to the API's base: a batch or a transaction (R4 §3.1.0.11)."""

    def post(self, request: Request) -> Response:
        asked = from_http(request, self.actor, "bundle", "Bundle")
        entries = request.data.get("entry") if isinstance(request.data, dict) else None
        self.charge(len(entries) if isinstance(entries, list) else 0)
        return Response(bundle.process(request.data, asked, request.headers.get("Prefer", "")))


class CapabilityView(APIView):
    """The CapabilityStatement, open to everybody (R4 §3.1.0.13)."""

    authentication_classes = ()
    permission_classes = (AllowAny,)

    def get(self, request: Request) -> Response:
        return Response(capability.statement())


class NothingHere(FHIRView):
    """Any other address below /fhir."""

    def get(self, request: Request, rest: str = "") -> Response:
        kind = rest.partition("/")[0][:60]
        if kind and kind not in registry():
            raise NotFound(f"The type '{kind}' is not served; /fhir/metadata lists those that are.")
        raise NotFound("There is nothing at this address.")

    post = put = patch = delete = get


def _respond(answer: Answer) -> Response:
    return Response(answer.body, status=answer.status, headers=answer.headers)


def pairs_of(request: HttpRequest | Request) -> list[tuple[str, str]]:
    sent = request.META.get("QUERY_STRING", "").encode("latin-1")  # WSGI hands bytes over in this guise (PEP 3333)
    return parse_qsl(sent.decode("utf-8", "replace"), keep_blank_values=True)


def form_of(request: Request) -> list[tuple[str, str]]:
    """The terms of a form; an empty body has none, and Django REST Framework then gives a plain dict."""
    sent = request.data
    return [(name, value) for name, values in sent.lists() for value in values] if isinstance(sent, QueryDict) else []


def _profiles(request: Request) -> list[str]:
    """The profiles that a validation is asked to hold against the resource."""
    pairs = pairs_of(request)
    for name, _ in pairs:
        if name not in {"profile", "mode"} | query.RENDERING:
            raise FHIRError.of(400, "invalid", f"A validation has no parameter '{name[:60]}'.")
    return [value for name, value in pairs if name == "profile"]
