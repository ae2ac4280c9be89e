"""FHIR JSON in: bounded in size, strict, with decimals as they were sent."""

from typing import Any

from django.conf import settings
from rest_framework.parsers import BaseParser

from healthrecords.jsontext import parse_json

from .outcome import FHIRError


class FHIRJSONParser(BaseParser):
    """Reads a body of a type that FHIR clients send JSON as."""

    media_type = "application/fhir+json"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        """Return the value; raise FHIRError 400 or 413, or BadJSON."""
        body = stream.read(settings.FHIR_MAX_BODY + 1)
        if len(body) > settings.FHIR_MAX_BODY:
            raise FHIRError.of(413, "too-long", f"A body may have {settings.FHIR_MAX_BODY} bytes at most.")
        return parse_json(body)


class PlainJSONParser(FHIRJSONParser):
    """The same, sent as plain JSON."""

    media_type = "application/json"


class OldJSONParser(FHIRJSONParser):
    """The same, as older clients name it."""

    media_type = "text/json"
