"""Writes sign-ins, sign-outs, failures, second factors and step-ups to the trail, by signals of Django and allauth.

Whatever page or flow causes one, its row is written in the same transaction.
"""

from typing import Any

from allauth.account.authentication import get_authentication_records
from allauth.account.signals import authentication_step_completed
from allauth.core import context
from allauth.mfa.models import Authenticator
from allauth.mfa.signals import authenticator_used
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver
from django.http import HttpRequest

from healthrecords import trail
from healthrecords.access.request import NOBODY, AccessRequest, Actor, actor_of_user, route_of
from healthrecords.accounts import attempts, browsers, factors, guessing, sessions
from healthrecords.accounts.models import User


@receiver(user_logged_in)
def record_sign_in(request: HttpRequest, user: User, **_: Any) -> None:
    """A sign-in; if the row cannot be written, nobody is signed in."""
    browser = browsers.describe(request.META.get("HTTP_USER_AGENT", ""))
    sessions.begin(request.session, getattr(request, "client_address", ""), browser)
    fact = about("sign-in", user, detail=_proofs(request, user))
    trail.record(asked(request, actor_of_user(user), "sign-in"), [fact])
    request.signed_in_as = user  # type: ignore[attr-defined]


@receiver(user_logged_out)
def record_sign_out(request: HttpRequest, user: User | None, **_: Any) -> None:
    """A sign-out of somebody who was signed in."""
    if user:
        trail.record(asked(request, actor_of_user(user), "sign-out"), [about("sign-out", user)])


@receiver(user_login_failed)
def record_failure(credentials: dict[str, Any], request: HttpRequest | None = None, **_: Any) -> None:
    """A failed sign-in: about whom, if that person exists; never the password nor what else was typed."""
    if request is not None:
        person = User.objects.filter(email=str(credentials.get("email", "")).strip().lower()).first()
        refuse(request, person, _reason(person))


@receiver(post_save, sender=Authenticator)
def record_new_factor(instance: Authenticator, created: bool, **_: Any) -> None:
    """A factor added, or recovery codes made."""
    if created:
        _record_factor("factor-added", instance)


@receiver(post_delete, sender=Authenticator)
def record_lost_factor(instance: Authenticator, **_: Any) -> None:
    """A factor removed; its secrets go with it."""
    factors.forget_secrets(instance)
    _record_factor("factor-removed", instance)


@receiver(authenticator_used)
def record_use(request: HttpRequest, user: User, authenticator: Authenticator, **said: Any) -> None:
    """A recovery code used, and a step-up by whatever factor. That a factor was used at sign-in is in the sign-in."""
    if authenticator.type == factors.KIND.RECOVERY_CODES:
        record(request, user, "recovery-code", f"{factors.codes_left(user)} are left")
    if said.get("reauthenticated"):
        record(request, user, "step-up", factors.NAMES[factors.KIND(authenticator.type)])


@receiver(authentication_step_completed)
def record_password_again(request: HttpRequest, user: User, method: str, **said: Any) -> None:
    """A step-up of somebody without a second factor here: by password, or at their provider."""
    if method != "mfa" and said.get("reauthenticated"):
        record(request, user, "step-up", method)


def guess(request: HttpRequest, kind: str, subject: str, person: User | None = None) -> None:
    """Count a guess before it is looked at; raises TooMany. The first of a window that is refused leaves a row."""
    try:
        attempts.take(kind, _counted(subject, person), address_of(request), guessing.known(request, person))
    except attempts.TooMany as refused:
        if refused.first:
            refuse(request, person, f"too many attempts: {kind}")
        raise


def right(request: HttpRequest, kind: str, subject: str, person: User | None = None) -> None:
    """Take a guess that was right off the counts."""
    attempts.forgive(kind, _counted(subject, person), address_of(request), guessing.known(request, person))


def _counted(subject: str, person: User | None) -> str:
    return person.guessed_as(subject) if person else subject


def address_of(request: HttpRequest) -> str:
    """Where a request came from, as the edge found out."""
    return str(getattr(request, "client_address", ""))


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


def _record_factor(action: str, factor: Authenticator) -> None:
    """Within a request alone: a command records what it does to factors by itself."""
    if context.request is not None:
        person: Any = factor.user
        record(context.request, person, action, factors.NAMES[factors.KIND(factor.type)])


def record(request: HttpRequest, person: User, action: str, detail: str) -> None:
    """A fact about a person's account. Whoever is signed in did it; before that, the person who is signing in."""
    actor = actor_of_user(request.user if request.user.is_authenticated else person)
    trail.record(asked(request, actor, action), [about(action, person, detail=detail)])


def _proofs(request: HttpRequest, person: User) -> str:
    """By what somebody signed in, in words."""
    given = get_authentication_records(request, person)
    names = {**factors.NAMES, "provider": "the provider's second factor"}
    return ", ".join(names.get(each.get("type"), each["method"]) for each in given)


def _reason(person: User | None) -> str:
    if person is None:
        return "nobody has this e-mail address"
    return "wrong password" if person.is_active else "wrong password, or disabled"
