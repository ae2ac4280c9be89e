"""FHIR JSON out (R4 §2.6), and the negotiation of it: `_format` wins over Accept."""

from typing import Any

from django.http import HttpRequest
from rest_framework.exceptions import NotAcceptable
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer

from healthrecords.jsontext import dump_json, parse_json

MEDIA_TYPE = "application/fhir+json"
_NAMES = frozenset({"json", "application/json", MEDIA_TYPE, "application/fhir json", "text/json"})
_ACCEPTED = frozenset({MEDIA_TYPE, "application/json", "text/json", "application/*", "*/*"})


class FHIRJSONRenderer(BaseRenderer):
    """Writes stored JSON as it is, and anything else as JSON."""

    media_type = MEDIA_TYPE
    format = "json"
    charset = "utf-8"

    def render(self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None) -> bytes:
        if data is None:
            return b""
        pretty = _wants_pretty(renderer_context)
        text = data.encode() if isinstance(data, str) else dump_json(data)
        return dump_json(parse_json(text), pretty=True) if pretty else text


def _wants_pretty(context: Any) -> bool:
    request = (context or {}).get("request")
    return request is not None and request.query_params.get("_pretty") == "true"


class FHIRNegotiation(DefaultContentNegotiation):
    """Chooses JSON, the one format there is, or refuses with 406."""

    def select_renderer(self, request: Any, renderers: Any, format_suffix: str | None = None) -> Any:
        wanted = request.query_params.get("_format")
        if wanted is not None:
            names = [wanted.partition(";")[0].strip().lower()]
            good = names[0] in _NAMES
        else:
            names = [part.partition(";")[0].strip().lower() for part in _accept(request).split(",")]
            good = any(name in _ACCEPTED for name in names)
        if not good:
            raise NotAcceptable("This server answers in application/fhir+json only.")
        return renderers[0], MEDIA_TYPE


def _accept(request: HttpRequest) -> str:
    return request.headers.get("Accept") or "*/*"
