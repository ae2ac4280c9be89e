"""OpenID Connect Core 1.0: the authorization code flow with PKCE (RFC 7636), as a client of one provider.

Everything that the provider says is checked: its own name, the state, the token's signature by its published keys,
`iss`, `aud`, `azp`, `exp`, `nonce`. Requests go out by healthrecords.outgoing.
"""

import base64
import hashlib
import json
import secrets
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from django.conf import settings
from django.utils.crypto import constant_time_compare
from jwcrypto.common import JWException
from jwcrypto.jwk import JWKSet
from jwcrypto.jwt import JWT

from healthrecords import outgoing

ALGORITHMS = ["RS256", "PS256", "ES256", "RS384", "PS384", "ES384"]
FORM = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}


class NotAccepted(Exception):
    """The provider's answer is not accepted; the text is a sentence for the trail."""


@dataclass(frozen=True)
class Attempt:
    """What one sign-in is recognized by when the browser comes back; kept in the session meanwhile."""

    state: str
    nonce: str
    verifier: str
    next: str = ""

    @classmethod
    def new(cls, next_page: str) -> "Attempt":
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        return cls(state, nonce, verifier, next_page)


def address(attempt: Attempt, back: str, again: bool) -> str:
    """Where to send the browser; `again` asks the provider to have the person prove who they are anew."""
    challenge = base64.urlsafe_b64encode(hashlib.sha256(attempt.verifier.encode()).digest()).rstrip(b"=").decode()
    asked = {
        "response_type": "code",
        "scope": "openid profile email",
        "client_id": settings.OIDC_CLIENT_ID,
        "redirect_uri": back,
        "state": attempt.state,
        "nonce": attempt.nonce,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
        **({"prompt": "login", "max_age": "0"} if again else {}),
    }
    return f"{configuration()['authorization_endpoint']}?{urlencode(asked)}"


def claims(attempt: Attempt, back: str, answer: dict[str, str]) -> dict[str, Any]:
    """What the provider says of the person who came back; raises NotAccepted, or OutgoingError where it is silent."""
    if not constant_time_compare(answer.get("state", ""), attempt.state):
        raise NotAccepted("The answer belongs to no sign-in of this browser.")
    if not answer.get("code"):
        raise NotAccepted(f"The provider refused: {answer.get('error', 'no code')[:60]}.")
    found = configuration()
    token = _token(found, {"code": answer["code"], "redirect_uri": back, "code_verifier": attempt.verifier})
    return _verified(token, _get(found["jwks_uri"]), attempt.nonce)


def configuration() -> dict[str, Any]:
    """What the provider publishes about itself; raises NotAccepted, or OutgoingError where it is silent."""
    found = _get(f"{settings.OIDC_ISSUER.rstrip('/')}/.well-known/openid-configuration")
    if found.get("issuer") != settings.OIDC_ISSUER:
        raise NotAccepted("The provider calls itself by another name than HEALTHCARE_OIDC_ISSUER.")
    return found


def _get(url: str) -> dict[str, Any]:
    return _read(outgoing.fetch(url, headers={"Accept": "application/json"}))


def _token(found: dict[str, Any], sent: dict[str, str]) -> str:
    """The id token for a code. The client's secret goes in the header (RFC 6749, 2.3.1)."""
    pair = f"{quote(settings.OIDC_CLIENT_ID, safe='')}:{quote(settings.OIDC_CLIENT_SECRET, safe='')}"
    headers = {**FORM, "Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}
    body = urlencode({"grant_type": "authorization_code", **sent}).encode()
    reply = _read(outgoing.fetch(found["token_endpoint"], method="POST", body=body, headers=headers))
    return str(reply.get("id_token", ""))


def _read(reply: outgoing.Reply) -> dict[str, Any]:
    if reply.status != 200:
        raise NotAccepted(f"The provider answered with status {reply.status}.")
    try:
        read = json.loads(reply.body)
    except ValueError:
        raise NotAccepted("The provider's answer is no JSON.") from None
    if not isinstance(read, dict):
        raise NotAccepted("The provider's answer is no object.")
    return read


def _verified(token: str, keys: dict[str, Any], nonce: str) -> dict[str, Any]:
    expected = {"iss": settings.OIDC_ISSUER, "aud": settings.OIDC_CLIENT_ID, "nonce": nonce, "exp": None, "sub": None}
    try:
        checked = JWT(jwt=token, key=JWKSet.from_json(json.dumps(keys)), algs=ALGORITHMS, check_claims=expected)
        said: dict[str, Any] = json.loads(checked.claims)
    except (JWException, ValueError, TypeError) as fault:
        raise NotAccepted(f"The id token is not accepted ({type(fault).__name__}).") from None
    if said.get("azp", settings.OIDC_CLIENT_ID) != settings.OIDC_CLIENT_ID:
        raise NotAccepted("The id token was made for another client.")
    if not (isinstance(said["sub"], str) and said["sub"]):
        raise NotAccepted("The id token names nobody.")
    return said
