"""What guesses look like over HTTP: the answer 429, and the browsers in which somebody signed in before.

A browser that a person signed in with keeps a signed cookie that says so. Guesses in it have counts of their own
(healthrecords.accounts.attempts), so that the person is not shut out by guesses from elsewhere (OWASP: device cookies).
"""

import logging
import secrets
from collections.abc import Callable
from typing import Any

from axes.handlers.cache import AxesCacheHandler
from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.crypto import salted_hmac

from healthrecords.accounts.attempts import WINDOW, TooMany, sentence
from healthrecords.accounts.models import User

logger = logging.getLogger(__name__)

REMEMBERED = 180 * 24 * 3600  # seconds that a browser stays known
_PEOPLE = 20  # whom one browser remembers: a shared computer
_SALT = "healthrecords.known-browser"


class Guessing:
    """Middleware: answers a guess that is one too many, and remembers a browser after a sign-in."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if person := getattr(request, "signed_in_as", None):
            _remember(request, response, person)
        return response

    def process_exception(self, request: HttpRequest, fault: Exception) -> HttpResponse | None:
        return too_many(request, fault.wait) if isinstance(fault, TooMany) else None


def too_many(request: HttpRequest, wait: int) -> HttpResponse:
    """The page that says how long to wait (RFC 6585 §4)."""
    page = render(request, "429.html", {"sentence": sentence(wait)}, status=429)
    page["Retry-After"] = str(wait)
    page["Cache-Control"] = "no-store"
    return page


def known(request: HttpRequest, person: Any) -> str:
    """Return the id of a browser in which `person` signed in before, or an empty text."""
    held = _held(request)
    return str(held["id"]) if person is not None and _mark(person) in held["people"] else ""


def _remember(request: HttpRequest, response: HttpResponse, person: Any) -> None:
    held = _held(request)
    others = [mark for mark in held["people"] if mark != _mark(person)]
    value = signing.dumps({"id": held["id"], "people": [*others[1 - _PEOPLE :], _mark(person)]}, salt=_SALT)
    secure = bool(settings.SESSION_COOKIE_SECURE)
    response.set_cookie(
        settings.BROWSER_COOKIE_NAME, value, max_age=REMEMBERED, httponly=True, samesite="Lax", secure=secure
    )


def _held(request: HttpRequest) -> dict[str, Any]:
    """What the browser's cookie holds; a new id and nobody where it has none or a forged one."""
    try:
        held = signing.loads(request.COOKIES[settings.BROWSER_COOKIE_NAME], salt=_SALT, max_age=REMEMBERED)
    except (KeyError, signing.BadSignature):
        return {"id": secrets.token_hex(12), "people": []}
    return dict(held)


def _mark(person: Any) -> str:
    return salted_hmac(_SALT, str(person.pk), algorithm="sha256").hexdigest()[:16]


# --- django-axes: stops whoever goes on failing, by whatever way Django's authenticate() is reached ---------------


class LockOut(AxesCacheHandler):
    """Axes' counts in the cache. A known browser is left to healthrecords.accounts.attempts, and so is everybody while
    the cache is down."""

    def is_allowed(self, request: HttpRequest, credentials: dict[str, Any] | None = None) -> bool:
        if known(request, _person(credentials)):
            return True
        return bool(_unless_down(super().is_allowed, request, credentials, otherwise=True))

    def user_login_failed(self, sender: Any, credentials: dict[str, Any], request: Any = None, **kwargs: Any) -> None:
        if request is not None:
            _unless_down(super().user_login_failed, sender, credentials, request, **kwargs)

    def user_logged_in(self, sender: Any, request: HttpRequest, user: Any, **kwargs: Any) -> None:
        _unless_down(super().user_logged_in, sender, request, user, **kwargs)

    def user_logged_out(self, sender: Any, request: HttpRequest, user: Any, **kwargs: Any) -> None:
        """Nothing: the trail has it."""


def _unless_down(call: Callable[..., Any], *arguments: Any, otherwise: Any = None, **named: Any) -> Any:
    try:
        return call(*arguments, **named)
    except Exception as fault:  # whatever the cache's client raises
        logger.warning("Failed sign-ins in a row are not counted: %s", type(fault).__name__)
        return otherwise


def axes_username(request: HttpRequest, credentials: dict[str, Any] | None) -> str:
    """Whom a guess is about, as axes asks."""
    person = _person(credentials)
    return person.guessed_as(_typed(credentials)) if person else _typed(credentials)


def _person(credentials: dict[str, Any] | None) -> User | None:
    return User.objects.filter(email=_typed(credentials)).first()


def _typed(credentials: dict[str, Any] | None) -> str:
    given = credentials or {}
    return str(given.get("username") or given.get("email") or "").strip().lower()


def axes_address(request: HttpRequest) -> str:
    """Where a guess comes from, as the edge found out."""
    return str(getattr(request, "client_address", ""))


def axes_locked_out(request: HttpRequest, response: Any, credentials: dict[str, Any] | None) -> HttpResponse:
    """The same page as for any other guess that is one too many."""
    return too_many(request, WINDOW)
