"""Middleware: a session without a second factor can only enrol one, confirm one, or sign out."""

from collections.abc import Callable
from typing import Any

from allauth.core.exceptions import ReauthenticationRequired
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect

from healthrecords.accounts import factors, sessions, stepup
from healthrecords.importing import demo

PUT_OFF = "factor_put_off"  # in the session: the person chose to enrol later, in a demo directory
# What opens without a second factor, by view names; everything else stays shut.
OPEN = frozenset({
    "account_login", "account_logout", "accounts:enrol", "accounts:factor", "accounts:later",
    "accounts:sso", "accounts:sso-back",
    "mfa_activate_totp", "mfa_add_webauthn", "account_reauthenticate", "mfa_reauthenticate",
    "mfa_reauthenticate_webauthn", "health", "readiness", "metrics",
})  # fmt: skip


class SecondFactor:
    """Holds back whoever is signed in by password alone. API tokens use no session and are not affected."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponseBase | None:
        if settings.SESSION_COOKIE_NAME not in request.COOKIES or not request.user.is_authenticated:
            return None
        sessions.touch(request.session)
        if stepup.proved(request) or put_off(request):
            request.session_left = sessions.left(request.session)  # type: ignore[attr-defined]
            return None
        return _hold(request)

    def process_exception(self, request: HttpRequest, fault: Exception) -> HttpResponseBase | None:
        """Ask for a fresh factor where allauth's own pages want one."""
        return stepup.ask(request) if isinstance(fault, ReauthenticationRequired) else None


def may_put_off(request: HttpRequest) -> bool:
    """Whether the person may enrol later: only in a demo directory, and only while they have no factor."""
    person: Any = request.user
    return demo.reigns() and not factors.held(person)


def put_off(request: HttpRequest) -> bool:
    """Whether the person chose to enrol later and still may; pages then say so in a banner."""
    request.factor_put_off = bool(request.session.get(PUT_OFF)) and may_put_off(request)  # type: ignore[attr-defined]
    return request.factor_put_off  # type: ignore[attr-defined]


def _hold(request: HttpRequest) -> HttpResponseBase | None:
    found = request.resolver_match
    if found and found.view_name in OPEN:
        return None
    person: Any = request.user
    return stepup.ask(request) if factors.held(person) else redirect("accounts:factor")
