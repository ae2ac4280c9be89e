"""Access tokens at the API: the actor that one makes of whoever sends it."""

import json
from dataclasses import replace

from django.db.models import TextField
from django.db.models.functions import Cast
from django.utils import timezone
from rest_framework.exceptions import AuthenticationFailed

from healthrecords.access.request import Actor, actor_of_user, own_organization
from healthrecords.accounts.models import User
from healthrecords.compiled import Compiled
from healthrecords.oauth import scopes
from healthrecords.oauth.models import AccessToken, digest

_COLUMNS = (
    "expires", "scope", "application__client_id", "application__name", "application__purposes",
    "application__disabled_at", "application__role_id",
)  # fmt: skip
_OF_AUTHORIZATION = ("authorization__person_id", "authorization__patient", "authorization__ended_at")
_by_checksum = Compiled(
    lambda checksum: AccessToken.objects.filter(token_checksum=checksum).values_list(
        *_COLUMNS, Cast("application__role__permissions", TextField()), *_OF_AUTHORIZATION
    )
)


def actor(text: str) -> Actor:
    """The actor of an access token; AuthenticationFailed says in a sentence why there is none."""
    found = _by_checksum.get(digest(text))
    if found is None:
        raise AuthenticationFailed("This token is not known, or was revoked.")
    expires, scope, client_id, name, purposes, disabled_at, role, permissions, person_id, patient, ended_at = found
    if expires <= timezone.now():
        raise AuthenticationFailed("This token has expired.")
    if disabled_at or ended_at:
        raise AuthenticationFailed("This token was revoked.")
    held = scopes.parse(scope)
    if person_id:
        return _of_person(person_id, name, held, patient)
    references = (f"Device/{client_id}", *own_organization())
    return Actor("client", client_id, name, (role,), (json.loads(permissions),), tuple(purposes), references, held)


def _of_person(person_id: str, app: str, held: tuple[scopes.Scope, ...], patient: str | None) -> Actor:
    """The person who allowed the app, with what is left of their roles."""
    person = User.objects.filter(pk=person_id, is_active=True).prefetch_related("roles").first()
    if person is None:
        raise AuthenticationFailed("This token was revoked.")
    return replace(actor_of_user(person), scopes=held, launch_patient=patient, app=app)
