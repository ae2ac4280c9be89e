"""The public keys of clients (JSON Web Key Sets, RFC 7517): checked, by value or read from the client's own address."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.utils import timezone
from jwcrypto.common import JWException
from jwcrypto.jwk import JWK

from healthrecords import outgoing
from healthrecords.oauth.models import Client

FRESH = timedelta(minutes=15)  # how long a set that was read from an address is used without another look
AGAIN = timedelta(minutes=1)  # how soon an unknown key leads to another look
MOST = 20  # keys of a set
LARGEST = 64 * 1024  # bytes of a set
SHORTEST_RSA = 2048  # bits
# What a key of each algorithm is, by SMART App Launch 2 ("Client Authentication: Asymmetric").
KINDS = {"RS384": {"kty": "RSA"}, "ES384": {"kty": "EC", "crv": "P-384"}}


def parse(text: str | bytes) -> dict[str, Any]:
    """Return the key set that `text` is; ValidationError says what is wrong with it."""
    try:
        keys = json.loads(text)["keys"]
        if not isinstance(keys, list) or not 1 <= len(keys) <= MOST:
            raise ValueError
    except (ValueError, KeyError, TypeError):
        raise ValidationError(f"This is no JSON Web Key Set: an object whose `keys` are 1 to {MOST} keys.") from None
    usable = [_checked(key) for key in keys if _is_ours(key)]
    if not usable:
        raise ValidationError("No key of the set is for signing with RS384 (RSA) or ES384 (P-384).")
    if len({key["kid"] for key in usable}) < len(usable):
        raise ValidationError("Two keys of the set have the same `kid`.")
    return {"keys": usable}


def fetch(url: str) -> dict[str, Any]:
    """Read a key set from a client's address; ValidationError says why it cannot be had."""
    try:
        reply = outgoing.fetch(url, headers={"Accept": "application/json"}, most=LARGEST)
    except outgoing.OutgoingError as fault:
        raise ValidationError(f"The key set cannot be read: {fault}") from None
    if reply.status != 200:
        raise ValidationError(f"The key set cannot be read: the address answered with status {reply.status}.")
    return parse(reply.body)


def find(client: Client, kid: str, algorithm: str) -> JWK | None:
    """The client's key of that id for that algorithm; a set that is old, or lacks it, is read again, but not often."""
    if client.jwks_url and _is_old(client, FRESH):
        _refresh(client)
    key = _find(client, kid, algorithm)
    if key is None and client.jwks_url and _is_old(client, AGAIN):
        _refresh(client)
        key = _find(client, kid, algorithm)
    return key


def _find(client: Client, kid: str, algorithm: str) -> JWK | None:
    for key in client.jwks.get("keys", ()):
        if key["kid"] == kid and _fits(key, algorithm):
            return JWK(**key)
    return None


def _is_old(client: Client, age: timedelta) -> bool:
    return client.keys_read_at is None or client.keys_read_at <= timezone.now() - age


def _refresh(client: Client) -> None:
    """Read the set again, once for all who ask at the same moment; a set that cannot be read leaves no old key valid
    for longer than FRESH."""
    before, now = client.keys_read_at, timezone.now()
    mine = Client.objects.filter(pk=client.pk, keys_read_at=before).update(keys_read_at=now)
    if mine:
        try:
            found = fetch(client.jwks_url)
        except ValidationError:
            found = {} if before is None or before <= now - FRESH else client.jwks
        Client.objects.filter(pk=client.pk).update(jwks=found)
    client.refresh_from_db(fields=["jwks", "keys_read_at"])


def _is_ours(key: Any) -> bool:
    if not isinstance(key, dict) or key.get("use", "sig") != "sig":
        return False
    return any(_fits(key, algorithm) for algorithm in KINDS)


def _fits(key: dict[str, Any], algorithm: str) -> bool:
    return key.get("alg", algorithm) == algorithm and KINDS[algorithm].items() <= key.items()


def _checked(key: dict[str, Any]) -> dict[str, Any]:
    """The public members of a key, which must have an id and be long enough."""
    try:
        known = JWK(**key)
        public: dict[str, Any] = known.export_public(as_dict=True)
        bits = known.get_op_key("verify").key_size
    except (JWException, ValueError, TypeError):
        raise ValidationError("A key of the set cannot be read.") from None
    if known.has_private:
        raise ValidationError("The set holds a private key; only the public ones may leave the client. Make new ones.")
    if public["kty"] == "RSA" and bits < SHORTEST_RSA:
        raise ValidationError(f"An RSA key of the set has {bits} bits; at least {SHORTEST_RSA} are needed.")
    if not isinstance(key.get("kid"), str) or not 1 <= len(key["kid"]) <= 200:
        raise ValidationError("Each key of the set needs a `kid` by which assertions name it.")
    return public


def thumbprints(client: Client) -> Iterator[str]:
    """By what people compare the keys of a client (RFC 7638)."""
    yield from (JWK(**key).thumbprint() for key in client.jwks.get("keys", ()))
