"""What a page of the admin did, kept while it is made and written to the trail before the page leaves.

The work, the rendering and the rows share one transaction: what cannot be written down is not shown.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import wraps
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponseBase
from django.template.response import SimpleTemplateResponse
from django.utils.module_loading import import_string

from healthrecords import trail
from healthrecords.access import acting
from healthrecords.access.request import (
    NOBODY,
    AccessRequest,
    Actor,
    UnknownPurpose,
    actor_of_user,
    from_http,
    route_of,
)

View = Callable[..., HttpResponseBase]


class NothingRecorded(Exception):
    """A page about patients was made without a note of whom it shows: it must not leave."""


@dataclass
class Minutes:
    """The notes of one request: what was asked for, about which record, and the facts to write."""

    asked: AccessRequest | None = None
    target: tuple[str, str | None] | None = None
    discloses: bool = False
    facts: list[tuple[AccessRequest, list[trail.Fact]]] = field(default_factory=list)

    def note(self, asked: AccessRequest, facts: list[trail.Fact]) -> None:
        """Keep facts to be written when the page is done."""
        self.facts.append((asked, facts))

    def write(self, status: int) -> None:
        """Write all facts in the current transaction; raise NothingRecorded when a page should have some."""
        if self.discloses and status == 200 and not self.facts:
            raise NothingRecorded
        for asked, facts in self.facts:
            trail.record(asked, facts)

    def failure(self, asked: AccessRequest, status: int) -> trail.Fact:
        """The fact of a request that was denied or failed."""
        resource, patient = self.target or ("", None)
        return trail.Fact(
            "denied" if status == 403 else asked.interaction,
            outcome="denied" if status == 403 else f"failed {status}",
            patient=patient,
            resources=(resource,) if resource else (),
            versions=(0,) if resource else (),
            detail=asked.interaction,
        )


def minutes_of(request: HttpRequest) -> Minutes:
    """The notes of this request."""
    kept: Minutes = request.__dict__.setdefault("minutes", Minutes())
    return kept


def asked_of(request: HttpRequest, interaction: str, resource_type: str) -> AccessRequest:
    """Describe what a signed-in person asks for; PermissionDenied for a purpose of use that they do not have."""
    try:
        asked = from_http(request, actor_of_user(request.user), interaction, resource_type)
    except UnknownPurpose as fault:
        raise PermissionDenied(str(fault)) from None
    return replace(asked, purpose=_purpose(request, asked))


def _purpose(request: HttpRequest, asked: AccessRequest) -> str:
    """What the page is for: what the socket CONSOLE_PURPOSE says (an emergency), else the person's own."""
    if "purpose" not in request.__dict__:
        request.__dict__["purpose"] = import_string(settings.CONSOLE_PURPOSE)(request, asked.actor) or asked.purpose
    return str(request.__dict__["purpose"])


def recorded(view: View) -> View:
    """Run `view`, render its answer and write its rows in one transaction; record apart what was denied or failed."""

    @wraps(view)
    def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            return _whole(view, request, *args, **kwargs)
        except Exception as fault:
            record_failure(request, _status(fault))
            raise

    return inner


def record_failure(request: HttpRequest, status: int) -> None:
    """Leave the row of a request that was denied or failed, outside of its transaction."""
    minutes = minutes_of(request)
    asked = minutes.asked or _plain(request)
    trail.record_apart(asked, [minutes.failure(asked, status)])


def _whole(view: View, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
    if any("\x00" in value for value in request.GET.values()):
        raise SuspiciousOperation("PostgreSQL stores no NUL.")
    acting.begin_http(request, actor_of_user(request.user))
    with transaction.atomic():
        response = view(request, *args, **kwargs)
        if isinstance(response, SimpleTemplateResponse):
            response.render()
        minutes_of(request).write(response.status_code)
        return response


def _status(fault: Exception) -> int:
    kinds = {PermissionDenied: 403, Http404: 404, SuspiciousOperation: 400}
    return next((status for kind, status in kinds.items() if isinstance(fault, kind)), 500)


def _plain(request: HttpRequest) -> AccessRequest:
    """A request of which no more is known than who sent it where."""
    actor: Actor = actor_of_user(request.user) if hasattr(request, "user") else NOBODY
    return AccessRequest(
        actor,
        "read" if request.method in ("GET", "HEAD") else "write",
        "",
        purpose=actor.purposes[0] if actor.purposes else "",
        address=getattr(request, "client_address", ""),
        request_id=getattr(request, "request_id", ""),
        route=route_of(request),
    )
