"""An OpenID provider on loopback, after the public specification: discovery, authorization code with PKCE, keys.

`says` are the claims of whoever signs in; `id_token` may be replaced to answer with a forged one.
"""

import base64
import hashlib
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from jwcrypto.jwk import JWK
from jwcrypto.jwt import JWT

CLIENT, SECRET = "records", "a-secret-of-this-test-alone"


class Provider:
    """The provider's memory: keys, codes given out, who signs in."""

    def __init__(self, address: str) -> None:
        self.issuer = address
        self.name = address  # what discovery calls it
        self.key = JWK.generate(kty="EC", crv="P-256", kid="one", alg="ES256", use="sig")
        self.says: dict[str, Any] = {"sub": "u-1", "email": "nina@example.org", "email_verified": True, "name": "Nina"}
        self.codes: dict[str, dict[str, str]] = {}
        self.asked: list[dict[str, str]] = []
        self.id_token = self.sign

    def configuration(self) -> dict[str, Any]:
        return {
            "issuer": self.name,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
        }

    def authorize(self, asked: dict[str, str]) -> str:
        """Agree at once; return where the browser goes."""
        self.asked.append(asked)
        code = f"code-{len(self.codes)}"
        self.codes[code] = asked
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}"

    def token(self, sent: dict[str, str], authorization: str) -> dict[str, Any] | None:
        """The token for a code, once, for the client that knows its secret and the verifier."""
        asked = self.codes.pop(sent["code"], None)
        pair = base64.b64decode(authorization.removeprefix("Basic ")).decode()
        challenge = base64.urlsafe_b64encode(hashlib.sha256(sent["code_verifier"].encode()).digest()).rstrip(b"=")
        if not asked or pair != f"{CLIENT}:{SECRET}" or challenge.decode() != asked["code_challenge"]:
            return None
        if sent["redirect_uri"] != asked["redirect_uri"]:
            return None
        return {"token_type": "Bearer", "access_token": "unused", "id_token": self.id_token(asked)}

    def sign(self, asked: dict[str, str], key: JWK | None = None, alg: str = "ES256", **changes: Any) -> str:
        now = int(time.time())
        said = {
            "iss": self.issuer,
            "aud": CLIENT,
            "iat": now,
            "exp": now + 300,
            "nonce": asked["nonce"],
            **self.says,
            **changes,
        }
        token = JWT(header={"alg": alg, "kid": "one"}, claims=said)
        token.make_signed_token(key or self.key)
        return token.serialize()


@contextmanager
def serving() -> Iterator[Provider]:
    """Serve until the end of the block."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Pages)
    server.provider = Provider(f"http://127.0.0.1:{server.server_port}")
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.provider
    finally:
        server.shutdown()
        server.server_close()


class _Pages(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        provider, parts = self.server.provider, urlsplit(self.path)
        if parts.path == "/.well-known/openid-configuration":
            self._answer(provider.configuration())
        elif parts.path == "/keys":
            self._answer({"keys": [provider.key.export_public(as_dict=True)]})
        else:
            self.send_response(302)
            self.send_header("Location", provider.authorize(_flat(parts.query)))
            self.end_headers()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        found = self.server.provider.token(_flat(body), self.headers.get("Authorization", ""))
        self._answer(found or {"error": "invalid_grant"}, 200 if found else 400)

    def _answer(self, body: dict[str, Any], status: int = 200) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *args: Any) -> None:
        """Quiet."""


def _flat(query: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(query).items()}
