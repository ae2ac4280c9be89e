"""What oauthlib asks of this server: who the client is, what it may have, and how codes and tokens are kept."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

from allauth.core import context
from django.conf import settings
from django.utils import timezone
from oauth2_provider.oauth2_validators import OAuth2Validator
from oauth2_provider.settings import oauth2_settings
from oauthlib.oauth2.rfc6749 import errors

from healthrecords.accounts import attempts
from healthrecords.accounts.models import User
from healthrecords.accounts.signing import address_of
from healthrecords.fhir.answer import base_url
from healthrecords.oauth import assertions, authorizations, granting, minutes, signingkeys
from healthrecords.oauth.models import AccessToken, Authorization, Client, Grant, RefreshToken, digest
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

    def authenticate_client_id(self, client_id: str, request: Any, *args: Any, **kwargs: Any) -> bool:
        """A public client has its code or refresh token alone: count the try, which a token takes off again."""
        attempts.take("client", client_id or "", address_of(context.request))
        return super().authenticate_client_id(client_id, request, *args, **kwargs)

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

    def validate_silent_login(self, request: Any) -> bool:
        """Nothing is allowed without asking (`prompt=none`)."""
        return False

    # --- codes ---

    def validate_code(self, client_id: str, code: str, client: Any, request: Any, *args: Any, **kwargs: Any) -> bool:
        """Use a code up. One that comes again was stolen, before or after: what it led to ends (RFC 6749, 4.1.2)."""
        grant = Grant.objects.select_related("authorization__person", "authorization__client")
        grant = grant.filter(code=code, application=client).first()
        if grant is None:
            return False
        if not Grant.objects.filter(pk=grant.pk, used_at=None).update(used_at=timezone.now()):
            _end(grant.authorization, "its code was used twice")
            return False
        request.scopes, request.nonce = grant.scope.split(), grant.nonce or None
        return not grant.is_expired() and _is_live(grant.authorization, request)

    def invalidate_authorization_code(self, client_id: str, code: str, request: Any, *args: Any, **kwargs: Any) -> None:
        """Nothing: it was used up before anything else was checked."""

    def _create_authorization_code(self, request: Any, code: dict[str, str], expires: Any = None) -> Grant:
        seconds = oauth2_settings.AUTHORIZATION_CODE_EXPIRE_SECONDS
        return Grant.objects.create(
            application=request.client,
            authorization=request.authorization,
            code=code["code"],
            expires=timezone.now() + timedelta(seconds=seconds),
            redirect_uri=request.redirect_uri,
            scope=" ".join(request.scopes),
            code_challenge=request.code_challenge,
            code_challenge_method=request.code_challenge_method,
            nonce=request.nonce or "",
        )

    # --- tokens ---

    def validate_refresh_token(self, refresh_token: str, client: Any, request: Any, *args: Any, **kwargs: Any) -> bool:
        """Whether it may be exchanged. One that was exchanged before ends what it belongs to (RFC 9700, 4.14.2)."""
        kept = RefreshToken.objects.select_related("authorization__person", "authorization__client")
        kept = kept.filter(token_checksum=digest(refresh_token), application=client).first()
        if kept is None:
            return False
        if kept.revoked:
            _end(kept.authorization, "a refresh token was used twice")
            return False
        fits = super().validate_refresh_token(refresh_token, client, request, *args, **kwargs)
        return fits and _is_live(kept.authorization, request) and authorizations.is_present(kept.authorization)

    def _save_bearer_token(self, token: Any, request: Any, *args: Any, **kwargs: Any) -> None:
        """Keep the token together with the row that says so, or not at all."""
        _refuse_second_use(getattr(request, "refresh_token_instance", None), request)
        super()._save_bearer_token(token, request, *args, **kwargs)
        Client.objects.filter(pk=request.client.pk).update(last_used_at=timezone.now())
        if not request.client.is_confidential:
            attempts.forgive("client", request.client.client_id, address_of(context.request))
        token.update(_launch_context(_authorization(request)))
        minutes.record_issue(request)

    def _check_and_set_request_resource(self, request: Any) -> None:
        """Resource indicators (RFC 8707) are not kept: all tokens are for this one server."""

    def _create_access_token(
        self, expires: Any, request: Any, token: Any, source_refresh_token: Any = None
    ) -> AccessToken:
        kept = AccessToken(scope=token["scope"], expires=expires, application=request.client)
        kept.authorization, kept.source_refresh_token = _authorization(request), source_refresh_token
        self._set_token_value(kept, token["access_token"])
        kept.save()
        return kept

    def _create_refresh_token(self, request: Any, code: str, access_token: Any, previous: Any) -> RefreshToken:
        family = previous.token_family if previous else uuid4()
        kept = RefreshToken(application=request.client, access_token=access_token, token_family=family)
        kept.authorization = request.authorization
        self._set_token_value(kept, code)
        kept.save()
        return kept

    # --- who the person is ---

    def finalize_id_token(self, id_token: dict[str, Any], token: Any, token_handler: Any, request: Any) -> str:
        """The id token of the person who allowed the app (OpenID Connect Core 1.0, 2)."""
        person: User = request.user
        now = int(timezone.now().timestamp())
        signed_in = int((person.last_login or request.authorization.given_at).timestamp())
        id_token.update(iss=settings.PUBLIC_URL, sub=str(person.pk), exp=now + settings.OAUTH_APP_SECONDS)
        id_token.update(auth_time=signed_in, **({"nonce": request.nonce} if request.nonce else {}))
        if "fhirUser" in request.scopes:
            id_token["fhirUser"] = f"{base_url()}/Practitioner/{person.practitioner}"
        if "profile" in request.scopes:
            id_token["name"] = person.name
        return signingkeys.sign(id_token)


def _is_live(kept: Authorization, request: Any) -> bool:
    """Whether the person still allows it and may still sign in; then the request is on their behalf."""
    request.authorization, request.user = kept, kept.person
    return kept.ended_at is None and kept.person.is_active


def _authorization(request: Any) -> Authorization | None:
    return None if request.grant_type == "client_credentials" else request.authorization


def _end(kept: Authorization, reason: str) -> None:
    context.request.refusal = reason
    actor = minutes.actor_of_client(kept.client)
    authorizations.end(kept, reason, minutes.asked(context.request, actor, "app-ended"))


def _refuse_second_use(refresh_token: Any, request: Any) -> None:
    """Of several who exchange one token at the same moment the first goes on."""
    if refresh_token is None:
        return
    if RefreshToken.objects.select_for_update().get(pk=refresh_token.pk).revoked:
        raise errors.InvalidGrantError(request=request)


def _launch_context(kept: Authorization | None) -> dict[str, Any]:
    """What comes with the token (SMART App Launch 2, "Launch context arrives with your access_token")."""
    return {"patient": kept.patient, "need_patient_banner": True} if kept and kept.patient else {}


def _plain(text: str) -> str:
    """Text as an error_description may be (RFC 6749, 5.2): printable ASCII without quotes and backslashes."""
    return "".join(c if " " <= c <= "~" and c not in '"\\' else "'" for c in text)
