"""What oauthlib asks of this server: who the client is, what it may have, and how codes and tokens are kept."""

from typing import Any

from allauth.core import context
from django.utils import timezone
from oauth2_provider.oauth2_validators import OAuth2Validator
from oauthlib.oauth2.rfc6749 import errors

from healthrecords.accounts import attempts
from healthrecords.accounts.signing import address_of
from healthrecords.oauth import assertions, granting, minutes
from healthrecords.oauth.models import AccessToken, Client
from healthrecords.oauth.scopes import BadScope


class Validator(OAuth2Validator):
    """django-oauth-toolkit's, with assertions instead of secrets, and with scopes that are a language, not a list."""

    # --- who the client is ---

    def _load_application(self, client_id: str, request: Any) -> Client | None:
        if not isinstance(request.client, Client) or request.client.client_id != client_id:
            known = Client.objects.filter(client_id=client_id or "", disabled_at=None)
            request.client = known.first() if "\x00" not in (client_id or "") else None
        return request.client

    def client_authentication_required(self, request: Any, *args: Any, **kwargs: Any) -> bool:
        """A client with keys must use them; whoever sends an assertion is held to it."""
        if getattr(request, "client_assertion", None) or getattr(request, "client_assertion_type", None):
            return True
        client = self._load_application(request.client_id, request)
        return client is None or client.is_confidential

    def authenticate_client(self, request: Any, *args: Any, **kwargs: Any) -> bool:
        """Count the try, then check the assertion."""
        names = ("client_id", "client_assertion", "client_assertion_type")
        sent = {name: getattr(request, name, None) for name in names}
        subject, address = assertions.named(sent), address_of(context.request)
        attempts.take("client", subject, address)
        try:
            request.client = assertions.prove(sent)
        except assertions.NotProved as fault:
            context.request.refusal = str(fault)
            return False
        attempts.forgive("client", subject, address)
        return True

    # --- what it may have ---

    def validate_scopes(self, client_id: str, scopes: list[str], client: Any, request: Any, *_: Any, **__: Any) -> bool:
        """Narrow what was asked for to what the client was registered with; nothing left is a refusal."""
        try:
            request.scopes = granting.granted(" ".join(scopes), client.scope)
        except BadScope as fault:
            raise errors.InvalidScopeError(description=_plain(str(fault)), request=request) from None
        return bool(request.scopes)

    def get_default_scopes(self, client_id: str, request: Any, *args: Any, **kwargs: Any) -> list[str]:
        """None: a client says what it wants."""
        return []

    # --- tokens ---

    def _save_bearer_token(self, token: Any, request: Any, *args: Any, **kwargs: Any) -> None:
        """Keep the token together with the row that says so, or not at all."""
        super()._save_bearer_token(token, request, *args, **kwargs)
        Client.objects.filter(pk=request.client.pk).update(last_used_at=timezone.now())
        minutes.record_issue(request)

    def _check_and_set_request_resource(self, request: Any) -> None:
        """Resource indicators (RFC 8707) are not kept: all tokens are for this one server."""

    def _create_access_token(
        self, expires: Any, request: Any, token: Any, source_refresh_token: Any = None
    ) -> AccessToken:
        kept = AccessToken(scope=token["scope"], expires=expires, application=request.client)
        kept.source_refresh_token = source_refresh_token
        self._set_token_value(kept, token["access_token"])
        kept.save()
        return kept


def _plain(text: str) -> str:
    """Text as an error_description may be (RFC 6749, 5.2): printable ASCII without quotes and backslashes."""
    return "".join(c if " " <= c <= "~" and c not in '"\\' else "'" for c in text)
