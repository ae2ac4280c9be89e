"""A client of SMART Backend Services (hl7.org/fhir/smart-app-launch/backend-services.html).

It knows the address of a FHIR server, its own id and its own key. Nothing of the server's code is used.
"""

import json
import time
import uuid
from typing import Any

import requests
from jwcrypto.jwk import JWK
from jwcrypto.jws import JWS

KIND = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


def new_key(algorithm: str = "ES384", kid: str = "one") -> JWK:
    """A key as the specification wants it."""
    kind = {"kty": "EC", "crv": "P-384"} if algorithm == "ES384" else {"kty": "RSA", "size": 2048}
    return JWK.generate(**kind, kid=kid, alg=algorithm)


def key_set(*keys: JWK) -> str:
    """The public key set to register."""
    return json.dumps({"keys": [key.export_public(as_dict=True) for key in keys]})


def send(url: str, form: Any) -> requests.Response:
    """Post a form; again if the test server's queue was full."""
    while True:
        try:
            return requests.post(url, data=form, timeout=60)
        except requests.ConnectionError:
            time.sleep(0.1)


class Backend:
    """One such client."""

    def __init__(self, fhir: str, client_id: str, key: JWK) -> None:
        self.fhir, self.client_id, self.key = fhir, client_id, key
        self.endpoint = requests.get(f"{fhir}/.well-known/smart-configuration", timeout=10).json()["token_endpoint"]

    def claims(self, **changes: Any) -> dict[str, Any]:
        """What the assertion says; a change to None leaves the claim out."""
        said = {
            "iss": self.client_id,
            "sub": self.client_id,
            "aud": self.endpoint,
            "exp": int(time.time()) + 240,
            "jti": str(uuid.uuid4()),
        }
        return {name: value for name, value in {**said, **changes}.items() if value is not None}

    def assertion(self, key: JWK | None = None, header: dict[str, Any] | None = None, **changes: Any) -> str:
        """A signed assertion; what is given differs from what it should be."""
        key = key or self.key
        protected = {"alg": key["alg"], "kid": key["kid"], "typ": "JWT", **(header or {})}
        signed = JWS(json.dumps(self.claims(**changes)))
        signed.add_signature(key, protected=json.dumps(protected))
        return signed.serialize(compact=True)

    def ask(self, assertion: str | None = None, scope: str = "system/Patient.rs", **changes: str) -> requests.Response:
        """Ask for a token."""
        form = {
            "grant_type": "client_credentials",
            "scope": scope,
            "client_assertion_type": KIND,
            "client_assertion": assertion or self.assertion(),
            **changes,
        }
        return send(self.endpoint, form)

    def token(self, scope: str = "system/Patient.rs") -> str:
        """A token for the scope."""
        answer = self.ask(scope=scope)
        assert answer.status_code == 200, answer.text
        return answer.json()["access_token"]

    def send(self, method: str, path: str, token: str, **options: Any) -> requests.Response:
        """A request to the FHIR API with a token."""
        headers = {"Authorization": f"Bearer {token}", **options.pop("headers", {})}
        return requests.request(method, f"{self.fhir}/{path}", headers=headers, timeout=30, **options)
