"""The keys that id tokens are signed with: made when first needed, sealed in the database, published as a key set."""

import json
from typing import Any

from django.db import connection, transaction
from jwcrypto.jwk import JWK
from jwcrypto.jwt import JWT

from healthrecords.oauth.models import SigningKey

ALGORITHM = "RS256"  # what every client of OpenID Connect knows (OpenID Connect Core 1.0, 15.1)


def sign(claims: dict[str, Any]) -> str:
    """Return the claims as a token signed with the newest key."""
    key = JWK.from_json(_newest().private)
    token = JWT(header={"alg": ALGORITHM, "kid": key["kid"], "typ": "JWT"}, claims=json.dumps(claims))
    token.make_signed_token(key)
    return str(token.serialize())


def published() -> dict[str, Any]:
    """The public part of all keys that are kept."""
    _newest()
    return {"keys": [JWK.from_json(row.private).export_public(as_dict=True) for row in SigningKey.objects.all()]}


def make() -> SigningKey:
    """Make a key, which signs from now on; those before still verify what they have signed."""
    key = JWK.generate(kty="RSA", size=2048, use="sig", alg=ALGORITHM)
    key = JWK(**{**key.export(as_dict=True), "kid": key.thumbprint()})
    return SigningKey.objects.create(kid=key["kid"], private=key.export())


def _newest() -> SigningKey:
    return SigningKey.objects.first() or _first()


def _first() -> SigningKey:
    """The first key, made by one of those who need it at the same moment."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('signing key', 0))")
        return SigningKey.objects.first() or make()
