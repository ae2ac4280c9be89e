"""Clients prove who they are by a signed assertion (`private_key_jwt`, RFC 7523, SMART App Launch 2).

The assertion names the client twice (`iss`, `sub`) and the token endpoint (`aud`), lives for five minutes at most and
counts once (`jti`). Its algorithm is one of two, its key one of that very client's, so that neither `none` nor a public
key taken for a shared secret can pass.
"""

import json
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone
from jwcrypto.common import JWException, base64url_decode
from jwcrypto.jwt import JWT

from healthrecords.oauth import keysets
from healthrecords.oauth.models import Client, UsedAssertion, digest

KIND = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
LONGEST = 300  # seconds that an assertion may live
SKEW = 30  # seconds that the client's clock may be ahead
LARGEST = 8 * 1024  # characters


class NotProved(Exception):
    """The client did not prove who it is; the text is a sentence for the trail."""


def token_url() -> str:
    """The address of the token endpoint: what `aud` must name."""
    return f"{settings.PUBLIC_URL}/oauth/token"


def named(sent: Mapping[str, Any]) -> str:
    """Whom a request claims to be from, before anything is checked."""
    claims = _unchecked(str(sent.get("client_assertion") or ""), 1)
    return str(claims.get("sub") or sent.get("client_id") or "")[:255]


def prove(sent: Mapping[str, Any]) -> Client:
    """Return the client whose assertion was sent; raises NotProved. The assertion is used up."""
    text = str(sent.get("client_assertion") or "")
    if sent.get("client_assertion_type") != KIND or not text or len(text) > LARGEST:
        raise NotProved("there is no client_assertion with the client_assertion_type jwt-bearer")
    header, claimed = _unchecked(text, 0), named(sent)
    if sent.get("client_id") not in (None, "", claimed):
        raise NotProved("client_id and the assertion's sub differ")
    client = Client.objects.filter(client_id=claimed, disabled_at=None).first()
    if client is None:
        raise NotProved("no client of that id may sign in")
    _use_up(client, _verified(text, header, client))
    return client


def _verified(text: str, header: dict[str, Any], client: Client) -> dict[str, Any]:
    algorithm, kid = header.get("alg"), header.get("kid")
    if algorithm not in keysets.KINDS or not isinstance(kid, str):
        raise NotProved("the assertion must be signed with RS384 or ES384 and name its key by kid")
    key = keysets.find(client, kid, algorithm)
    if key is None:
        raise NotProved("the client has no such key")
    checked = JWT(
        algs=[algorithm],
        check_claims={"iss": client.client_id, "sub": client.client_id, "aud": token_url(), "exp": None, "jti": None},
    )
    checked.leeway = 0
    try:
        checked.deserialize(text, key)
        claims: dict[str, Any] = json.loads(checked.claims)
    except (JWException, ValueError, TypeError) as fault:
        raise NotProved(f"the assertion is not accepted ({type(fault).__name__})") from None
    if not claims["exp"] <= time.time() + LONGEST + SKEW:  # so that NaN does not pass
        raise NotProved("the assertion lives for more than five minutes")
    if not claims.get("nbf", 0) <= time.time() + SKEW:
        raise NotProved("the assertion is not valid yet")
    return claims


def _use_up(client: Client, claims: dict[str, Any]) -> None:
    """Note the `jti`; the database lets one of several through, however many come at once."""
    jti = claims["jti"]
    if not isinstance(jti, str) or not 1 <= len(jti) <= 256:
        raise NotProved("the assertion's jti must be a text of 1 to 256 characters")
    UsedAssertion.objects.filter(expires_at__lt=timezone.now()).delete()
    try:
        with transaction.atomic():
            expires = datetime.fromtimestamp(claims["exp"], UTC)
            UsedAssertion.objects.create(key=digest(f"{client.client_id} {jti}"), expires_at=expires)
    except IntegrityError:
        raise NotProved("the assertion was used before") from None


def _unchecked(text: str, part: int) -> dict[str, Any]:
    """The header (0) or the claims (1) of an assertion, before its signature is checked; {} for anything else."""
    parts = text.split(".")
    if len(parts) != 3 or len(text) > LARGEST:
        return {}
    try:
        found = json.loads(base64url_decode(parts[part]))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
