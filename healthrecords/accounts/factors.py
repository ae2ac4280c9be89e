"""A person's second factors: an authenticator app (TOTP, RFC 6238), passkeys (WebAuthn), recovery codes beside them."""

from ipaddress import ip_address
from typing import Any

from allauth.mfa.models import Authenticator
from django.db.models import QuerySet
from django.http import HttpRequest

from healthrecords.accounts.models import FactorSecret, User

KIND = Authenticator.Type
NAMES = {KIND.TOTP: "authenticator app", KIND.WEBAUTHN: "passkey", KIND.RECOVERY_CODES: "recovery codes"}


def of(person: User) -> QuerySet[Authenticator]:
    """The person's factors; recovery codes are none, they stand in for one."""
    return Authenticator.objects.filter(user=person).exclude(type=KIND.RECOVERY_CODES).order_by("created_at")


def held(person: User) -> bool:
    """Whether the person has a second factor."""
    return of(person).exists()


def codes_left(person: User) -> int:
    """How many recovery codes of the person are unused."""
    codes = Authenticator.objects.filter(user=person, type=KIND.RECOVERY_CODES).first()
    return len(codes.wrap().get_unused_codes()) if codes else 0


def state(person: User) -> str:
    """The person's factors in words, such as `authenticator app, passkey`, or `none`."""
    kinds = dict.fromkeys(NAMES[KIND(each.type)] for each in of(person))
    return ", ".join(kinds) or "none"


def may_remove(factor: Authenticator) -> bool:
    """Whether another factor would be left."""
    return of(factor.user).exclude(pk=factor.pk).exists()


def remove_all(person: User) -> None:
    """Remove every factor of a person, with recovery codes and secrets."""
    for each in Authenticator.objects.filter(user=person):
        each.delete()


def forget_secrets(factor: Authenticator) -> None:
    """Delete the sealed secrets of a factor that is gone."""
    data: dict[str, Any] = factor.data
    FactorSecret.objects.filter(pk__in=[data[name] for name in ("secret", "seed") if name in data]).delete()


def passkeys_work(request: HttpRequest) -> bool:
    """Whether a browser would make a passkey here: it does for names, not for addresses (WebAuthn, RP ID)."""
    try:
        ip_address(request.get_host().rpartition(":")[0].strip("[]") or request.get_host())
    except ValueError:
        return True
    return False
