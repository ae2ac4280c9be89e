"""The grants that this server has, and no others: client credentials, authorization code with PKCE, refresh token.

What oauthlib and django-oauth-toolkit bring beside these (implicit, hybrid, password, device) is not put together.
"""

import secrets
from functools import cache
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from oauth2_provider.oauth2_backends import OAuthLibCore, get_oauthlib_core
from oauthlib.common import Request
from oauthlib.oauth2.rfc6749.endpoints import AuthorizationEndpoint, TokenEndpoint
from oauthlib.oauth2.rfc6749.grant_types import AuthorizationCodeGrant, ClientCredentialsGrant
from oauthlib.oauth2.rfc6749.tokens import BearerToken
from oauthlib.openid.connect.core.grant_types import AuthorizationCodeGrant as OpenIDCodeGrant
from oauthlib.openid.connect.core.grant_types import RefreshTokenGrant
from oauthlib.openid.connect.core.grant_types.dispatchers import (
    AuthorizationCodeGrantDispatcher,
    AuthorizationTokenGrantDispatcher,
)

ACCESS, REFRESH = "hra_", "hrr_"  # how the tokens begin, for whoever finds one in a log or a repository
KEEPERS = frozenset({"offline_access", "online_access"})  # the scopes that come with a refresh token


class Tokens(BearerToken):
    """Makes tokens of 256 random bits; a refresh token where one was granted."""

    def __init__(self, validator: Any) -> None:
        super().__init__(validator, _random(ACCESS), _seconds, _random(REFRESH))

    def create_token(self, request: Any, refresh_token: bool = False, **options: Any) -> Any:
        kept = request.grant_type == "refresh_token" or bool(KEEPERS & set(request.scopes or ()))
        return super().create_token(request, refresh_token and kept, **options)


class Server(AuthorizationEndpoint, TokenEndpoint):
    """The authorization endpoint and the token endpoint."""

    def __init__(self, validator: Any, **_: Any) -> None:
        plain, openid = AuthorizationCodeGrant(validator), OpenIDCodeGrant(validator)
        self.bearer = tokens = Tokens(validator)
        codes = AuthorizationCodeGrantDispatcher(default_grant=plain, oidc_grant=openid)
        AuthorizationEndpoint.__init__(self, "code", tokens, {"code": codes})
        grants = {
            "authorization_code": AuthorizationTokenGrantDispatcher(validator, default_grant=plain, oidc_grant=openid),
            "client_credentials": ClientCredentialsGrant(validator),
            "refresh_token": RefreshTokenGrant(validator),
        }
        TokenEndpoint.__init__(self, "client_credentials", tokens, grants)


class Core(OAuthLibCore):
    """Hands requests to oauthlib."""

    def extract_body(self, request: HttpRequest) -> list[tuple[str, str]]:
        """All that was sent, so that a parameter that is sent twice is noticed."""
        return [(name, value) for name, values in request.POST.lists() for value in map(str, values)]


@cache
def core() -> Core:
    """The one server of this process."""
    return get_oauthlib_core()


def known(request: HttpRequest) -> Any:
    """The client that sends a request about its tokens, by its assertion, or by its id where it is public; or None."""
    _, _, body, headers = core()._extract_params(request)
    asked, validator = Request("", "POST", body, headers), core().server.bearer.request_validator
    if validator.client_authentication_required(asked):
        return asked.client if validator.authenticate_client(asked) else None
    return asked.client


def _random(begins: str) -> Any:
    def token(request: Any) -> str:
        return begins + secrets.token_urlsafe(32)

    return token


def _seconds(request: Any) -> int:
    """How long an access token lives."""
    return settings.OAUTH_BACKEND_SECONDS if request.client.is_backend else settings.OAUTH_APP_SECONDS
