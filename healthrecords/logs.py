"""One structured line for each request (healthrecords.redaction tells what no line holds).

A request is told by the pattern of its route, its status and time, never by its path or query, which hold ids, names
and birth dates.
"""

import logging
import time
from typing import Any

import structlog
from django.http import HttpRequest, HttpResponse
from django_structlog.middlewares import RequestMiddleware

from healthrecords.access.request import Actor, route_of

_log = structlog.get_logger("healthrecords.requests")
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"})


class RequestLog(RequestMiddleware):
    """Middleware: binds the request's id to every line written meanwhile, and writes one line at the end."""

    def prepare(self, request: HttpRequest) -> None:
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=getattr(request, "request_id", ""))
        request.begun = time.perf_counter()  # type: ignore[attr-defined]

    def handle_response(self, request: HttpRequest, response: HttpResponse) -> None:
        begun: float = request.begun  # type: ignore[attr-defined]
        kind, actor = _actor(request)
        _log.log(
            logging.WARNING if response.status_code >= 500 else logging.INFO,
            "request",
            method=request.method if request.method in _METHODS else "other",
            route=route_of(request),
            status=response.status_code,
            milliseconds=round((time.perf_counter() - begun) * 1000, 1),
            actor_kind=kind,
            actor=actor,
        )
        structlog.contextvars.clear_contextvars()

    def process_got_request_exception(self, sender: Any, request: HttpRequest, **kwargs: Any) -> None:
        """Nothing: django.request tells of it, with the request's id."""


def _actor(request: HttpRequest) -> tuple[str, str]:
    """Who acted, by kind and id: an API's actor, or a person whose session was read anyway."""
    user, person = request.__dict__.get("user"), getattr(request, "_cached_user", None)
    if isinstance(user, Actor):
        return user.kind, user.id
    return ("user", str(person.pk)) if person is not None and person.is_authenticated else ("", "")
