"""How a smoke test gets in without a password: a token and a session, made, recorded and taken back within the run.

What a run that was cut off left behind is taken back by the next one.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

from allauth.account.internal.userkit import user_id_to_str
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.core.exceptions import ValidationError
from django.core.management.base import CommandError
from django.db import OperationalError
from django.utils import timezone

from healthrecords import trail
from healthrecords.access.request import AccessRequest
from healthrecords.accounts import people, sessions, tokens
from healthrecords.accounts.models import ApiToken, User
from ops.schedule.apart import held

from .login import connected
from .registry import Problem

NAME = "health-smoke"
EMAIL = "health-smoke@localhost.localdomain"  # disabled but for the seconds of a run; without a password
LIFE = timedelta(minutes=10)  # of the token, should a run be cut off


@dataclass
class Pass:
    """What opens the API and the admin for one run."""

    request: AccessRequest
    token: str
    session: str = ""

    def revoke(self) -> None:
        """Take the token back now."""
        tokens.revoke(NAME, self.request)


@contextmanager
def alone() -> Iterator[None]:
    """Hold off a second smoke test; raise CommandError where one runs, OperationalError where the database is away."""
    _refuse_without_database()
    with held("health smoke") as mine:
        if not mine:
            raise CommandError("A smoke test runs already; try again when it has ended.")
        yield


def _refuse_without_database() -> None:
    try:
        with connected():
            pass
    except Problem as fault:
        raise OperationalError(fault.text) from fault


@contextmanager
def issued(request: AccessRequest) -> Iterator[Pass]:
    """A token of an integrator and a session of a clinician, both gone afterwards, whatever happens."""
    withdraw(request)
    token, text = tokens.issue(NAME, "integrator", [], 1, request)
    ApiToken.objects.filter(pk=token.pk).update(expires_at=timezone.now() + LIFE)
    try:
        yield Pass(request, text, _session(request))
    finally:
        withdraw(request)


def withdraw(request: AccessRequest) -> None:
    """Revoke every live token of smoke tests, end their sessions, shut their person out."""
    if tokens.live(NAME):
        tokens.revoke(NAME, request)
    if User.objects.filter(email=EMAIL).exists():
        people.disable(EMAIL, request)


def _session(request: AccessRequest) -> str:
    """The key of a new session of the person, as if signed in with a second factor; the trail says who made it."""
    person = _person(request)
    session = sessions.SessionStore()
    session.update({
        SESSION_KEY: str(person.pk),
        BACKEND_SESSION_KEY: settings.AUTHENTICATION_BACKENDS[-1],
        HASH_SESSION_KEY: person.get_session_auth_hash(),
        "account_authentication_methods": [{"method": "mfa", "type": "totp", "at": time.time()}],
        "account_authentication_methods_user": user_id_to_str(person),
    })  # fmt: skip
    sessions.begin(session, "", "health smoke")
    session.create()
    fact = trail.Fact("sign-in", resources=(f"User/{person.pk}",), detail=f"{person.name}: by the host, for one run")
    trail.record(request.to("sign-in", "User"), [fact])
    return str(session.session_key)


def _person(request: AccessRequest) -> User:
    try:
        people.enable(EMAIL, request)
    except ValidationError:  # the first run here
        people.invite(EMAIL, "Health check", ["clinician"], request)[0].links.all().delete()
    return User.objects.get(email=EMAIL)
