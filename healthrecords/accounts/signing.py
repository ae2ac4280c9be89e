"""Writes sign-ins, sign-outs and failures to the trail, by Django's own signals: whatever page or flow causes one."""

from typing import Any

from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.dispatch import receiver
from django.http import HttpRequest

from healthrecords import trail
from healthrecords.access.request import NOBODY, AccessRequest, Actor, actor_of_user, route_of
from healthrecords.accounts.models import User


@receiver(user_logged_in)
def record_sign_in(request: HttpRequest, user: User, **_: Any) -> None:
    """A sign-in; if the row cannot be written, nobody is signed in."""
    trail.record(asked(request, actor_of_user(user), "sign-in"), [about("sign-in", user)])


@receiver(user_logged_out)
def record_sign_out(request: HttpRequest, user: User | None, **_: Any) -> None:
    """A sign-out of somebody who was signed in."""
    if user:
        trail.record(asked(request, actor_of_user(user), "sign-out"), [about("sign-out", user)])


@receiver(user_login_failed)
def record_failure(credentials: dict[str, Any], request: HttpRequest | None = None, **_: Any) -> None:
    """A failed sign-in: about whom, if that person exists; never the password nor what else was typed."""
    if request is not None:
        person = User.objects.filter(email=str(credentials.get("username", "")).strip().lower()).first()
        refuse(request, person, _reason(person))


def refuse(request: HttpRequest, person: User | None, reason: str) -> None:
    """Record a refused sign-in by itself, so that it outlives the request."""
    fact = about("sign-in", person, outcome="failure", detail=reason)
    trail.record_apart(asked(request, NOBODY, "sign-in"), [fact])


def asked(request: HttpRequest, actor: Actor, interaction: str) -> AccessRequest:
    """Describe a request to the account pages, whose purpose no header picks."""
    return AccessRequest(
        actor,
        interaction,
        "User",
        purpose=actor.purposes[0] if actor.purposes else "",
        address=getattr(request, "client_address", ""),
        request_id=getattr(request, "request_id", ""),
        route=route_of(request),
    )


def about(action: str, person: User | None, outcome: str = "success", detail: str = "") -> trail.Fact:
    """A fact about a person's account, or about nobody's."""
    return trail.Fact(action, outcome, resources=(f"User/{person.pk}",) if person else (), detail=detail)


def _reason(person: User | None) -> str:
    if person is None:
        return "nobody has this e-mail address"
    return "wrong password" if person.is_active else "wrong password, or disabled"
