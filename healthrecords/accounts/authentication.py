"""Tokens as Django REST Framework's authentication (RFC 6750): API tokens, `Bearer hrt_PREFIX_SECRET`, and the access
tokens of the OAuth 2 server, `Bearer hra_SECRET`."""

import json
import re
import time
from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

from django.db.models import Q, TextField
from django.db.models.functions import Cast
from django.utils import timezone
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from healthrecords.access.request import Actor, actor_of_token
from healthrecords.accounts import attempts
from healthrecords.accounts.models import ApiToken, Role, digest
from healthrecords.compiled import Compiled
from healthrecords.oauth import bearer

Found = TypeVar("Found")
_HEADER = re.compile(r"bearer +(?:hrt_([0-9a-f]{12})_([A-Za-z0-9_-]{43})|(hra_[A-Za-z0-9_-]{43}))", re.IGNORECASE)
_NOBODYS = ApiToken(secret_digest=digest(""))  # what the secret of an unknown prefix is compared with
_RIGHT: dict[bytes, float] = {}  # digests of tokens, and until when they are no guess
RIGHT_FOR = 300.0  # seconds
REMEMBERED = 1000
USE_IS_NOTED_EVERY = timedelta(minutes=1)


class TokenAuthentication(BaseAuthentication):
    """Answers who sent the token; a wrong, expired or revoked one is a 401 with one sentence."""

    def authenticate(self, request: Request) -> tuple[Actor, ApiToken | None] | None:
        """Return the actor with its API token if it has one, or None where no header was sent."""
        header = get_authorization_header(request).decode("latin-1").strip()
        if not header:
            return None
        found = _HEADER.fullmatch(header)
        if found is None:
            raise AuthenticationFailed("The Authorization header must be 'Bearer' and a token of this server.")
        address = str(getattr(request, "client_address", ""))
        if found[3]:
            return _guessed(digest(found[3]).hex()[:12], found[3], address, lambda: bearer.actor(found[3])), None
        token = _guessed(found[1], found[2], address, lambda: _checked(found[1], found[2]))
        _note_use(token)
        return actor_of_token(token), token

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


def _guessed(prefix: str, secret: str, address: str, check: Callable[[], Found]) -> Found:
    """What `check` finds. What this process has seen to be right a short while ago is no guess, and not counted."""
    seen = digest(f"{prefix}{secret}")
    if _RIGHT.get(seen, 0) > time.monotonic():
        return check()
    attempts.take("token", prefix, address)
    found = check()
    attempts.forgive("token", prefix, address)
    if len(_RIGHT) >= REMEMBERED:
        _RIGHT.clear()
    _RIGHT[seen] = time.monotonic() + RIGHT_FOR
    return found


def _checked(prefix: str, secret: str) -> ApiToken:
    """The live token; whether its prefix exists shows neither in the words nor in the time taken."""
    token = _find(prefix)
    if not (token or _NOBODYS).fits(secret) or token is None:
        raise AuthenticationFailed("This token is not known.")
    if token.revoked_at:
        raise AuthenticationFailed("This token was revoked.")
    if not token.is_live(timezone.now()):
        raise AuthenticationFailed("This token has expired.")
    return token


_COLUMNS = ("uuid", "name", "purposes", "secret_digest", "expires_at", "revoked_at", "last_used_at", "role_id")
_by_prefix = Compiled(
    lambda prefix: ApiToken.objects.filter(prefix=prefix).values_list(*_COLUMNS, Cast("role__permissions", TextField()))
)


def _find(prefix: str) -> ApiToken | None:
    found = _by_prefix.get(prefix)
    if found is None:
        return None
    *columns, permissions = found
    token = ApiToken(**dict(zip(_COLUMNS, columns, strict=True)))
    token.role = Role(name=token.role_id, permissions=json.loads(permissions))
    return token


def _note_use(token: ApiToken) -> None:
    """Keep when the token was last used, to the minute, so that not every read pays for a write."""
    now = timezone.now()
    if token.last_used_at and now - token.last_used_at < USE_IS_NOTED_EVERY:
        return
    stale = Q(last_used_at=None) | Q(last_used_at__lt=now - USE_IS_NOTED_EVERY)
    ApiToken.objects.filter(stale, pk=token.pk).update(last_used_at=now)
