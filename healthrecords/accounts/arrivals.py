"""Who comes in by single sign-on, and with which roles: what the provider says, against who is known here."""

from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction

from healthrecords.access.request import AccessRequest
from healthrecords.accounts import people
from healthrecords.accounts.models import User


@transaction.atomic
def receive(said: dict[str, Any], by: AccessRequest) -> User:
    """The person behind verified claims, with the roles that they give; ValidationError for who may not come in."""
    person = _known(said) or _created(said, by)
    if not person.is_active:
        raise ValidationError("This person is shut out.")
    if person.provider_subject != said["sub"]:
        person.provider_subject = said["sub"]
        person.save(update_fields=["provider_subject"])
    if settings.OIDC_ROLE_CLAIM:
        _follow(person, roles(said), by)
    return person


def roles(said: dict[str, Any]) -> set[str]:
    """The names of the roles that the claim gives; ValidationError where it gives none."""
    claim = said.get(settings.OIDC_ROLE_CLAIM, [])
    values = claim.split() if isinstance(claim, str) else claim if isinstance(claim, list) else []
    found = {settings.OIDC_ROLES[value] for value in map(str, values) if value in settings.OIDC_ROLES}
    if not found:
        raise ValidationError("The provider gives this person no role of this server.")
    return found


def factor_given(said: dict[str, Any]) -> bool:
    """Whether the provider asked for a second factor (`amr`, RFC 8176, or `acr`)."""
    amr = said.get("amr")
    given = [*(amr if isinstance(amr, list) else []), said.get("acr")]
    return any(value in settings.OIDC_FACTORS for value in given)


def _known(said: dict[str, Any]) -> User | None:
    """By the provider's subject; the first time by an address that the provider has verified."""
    people_here = User.objects.select_for_update()
    if person := people_here.filter(provider_subject=said["sub"]).first():
        return person
    if said.get("email_verified") is not True:
        return None
    return people_here.filter(email=str(said.get("email", "")).lower(), provider_subject=None).first()


def _created(said: dict[str, Any], by: AccessRequest) -> User:
    if not (settings.OIDC_CREATES_PEOPLE and settings.OIDC_ROLE_CLAIM and said.get("email_verified") is True):
        raise ValidationError("Nobody here is known by this account of the provider; an administrator invites people.")
    person, _ = people.invite(str(said.get("email", "")), str(said.get("name") or said.get("email")), roles(said), by)
    person.links.all().delete()
    return person


def _follow(person: User, wanted: set[str], by: AccessRequest) -> None:
    held = {role.name for role in person.roles.all()}
    if wanted != held:
        people.change_roles(person.email, wanted - held, held - wanted, by)
