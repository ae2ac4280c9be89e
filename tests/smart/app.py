"""An app of SMART App Launch 2 (hl7.org/fhir/smart-app-launch/app-launch.html), and the browser of its person.

The app knows the address of a FHIR server, its own id and where people return to; a confidential one has a key as well.
"""

import base64
import hashlib
import html
import json
import re
import secrets
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import requests
from jwcrypto.jwk import JWK, JWKSet
from jwcrypto.jwt import JWT

from tests.smart.backend import KIND, Backend
from tests.smart.backend import send as post

RETURN = "https://app.example.org/callback"


class App:
    """One such app."""

    def __init__(self, fhir: str, client_id: str, key: JWK | None = None, redirect_uri: str = RETURN) -> None:
        self.fhir, self.client_id, self.key, self.redirect_uri = fhir, client_id, key, redirect_uri
        self.server = requests.get(f"{fhir}/.well-known/smart-configuration", timeout=10).json()

    def address(self, scope: str, **changes: str | None) -> str:
        """Where to send the browser; a change to None leaves the parameter out."""
        self.state, self.verifier, self.nonce = (secrets.token_urlsafe(32) for _ in range(3))
        challenge = base64.urlsafe_b64encode(hashlib.sha256(self.verifier.encode()).digest()).rstrip(b"=").decode()
        asked = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": self.redirect_uri,
            "scope": scope,
            "state": self.state,
            "aud": self.fhir,
            "nonce": self.nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
            **changes,
        }
        sent = {name: value for name, value in asked.items() if value is not None}
        return f"{self.server['authorization_endpoint']}?{urlencode(sent)}"

    def code(self, back: str) -> str:
        """The code in the address that the browser came back to, which must be the answer to this app's question."""
        said = {name: values[0] for name, values in parse_qs(urlsplit(back).query).items()}
        assert back.startswith(self.redirect_uri), back
        assert (said.get("state"), said.get("iss")) == (self.state, self.server["issuer"]), said
        return said["code"]

    def exchange(self, code: str, **changes: str | None) -> requests.Response:
        """Exchange a code."""
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": self.redirect_uri}
        return self.post({**form, "code_verifier": self.verifier, **changes})

    def refresh(self, token: str, **changes: str | None) -> requests.Response:
        """Exchange a refresh token."""
        return self.post({"grant_type": "refresh_token", "refresh_token": token, **changes})

    def post(self, form: dict[str, str | None], endpoint: str = "token_endpoint") -> requests.Response:
        """Send a form by the app: with an assertion if it has a key, else with its id."""
        proof = {"client_id": self.client_id}
        if self.key is not None:
            backend = Backend(self.fhir, self.client_id, self.key)
            proof = {"client_assertion_type": KIND, "client_assertion": backend.assertion()}
        sent = {name: value for name, value in {**proof, **form}.items() if value is not None}
        return post(self.server[endpoint], sent)

    def read(self, path: str, token: str) -> requests.Response:
        """Read from the FHIR API."""
        return requests.get(f"{self.fhir}/{path}", headers={"Authorization": f"Bearer {token}"}, timeout=30)

    def person(self, id_token: str) -> dict[str, Any]:
        """The claims of an id token, verified by the published keys."""
        keys = JWKSet.from_json(requests.get(self.server["jwks_uri"], timeout=10).text)
        expected = {"iss": self.server["issuer"], "aud": self.client_id, "nonce": self.nonce, "exp": None, "sub": None}
        return json.loads(JWT(jwt=id_token, key=keys, algs=["RS256"], check_claims=expected).claims)


class Browser:
    """The browser of somebody who is signed in; it stops before it leaves for the app."""

    def __init__(self, cookies: dict[str, str]) -> None:
        self.session = requests.Session()
        self.session.cookies.update(cookies)

    def open(self, address: str) -> requests.Response:
        """Open a page of the server."""
        self.page = self.session.get(address, allow_redirects=False, timeout=30)
        return self.page

    def send(self, **fields: str) -> requests.Response:
        """Send a form of the page, which goes to the page's own address."""
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', self.page.text)
        assert token, self.page.text
        form = {"csrfmiddlewaretoken": html.unescape(token[1]), **fields}
        headers = {"Referer": self.page.url}
        address = self.page.url
        self.page = self.session.post(address, data=form, headers=headers, allow_redirects=False, timeout=30)
        return self.page

    def allow(self, address: str, patient: str = "") -> str:
        """Open the app's question, pick the patient if one is given, allow; return where the browser is sent."""
        page = self.open(address)
        assert page.status_code == 200, f"{page.status_code} {page.headers.get('Location')} {page.text[:2000]}"
        if patient:
            self.send(name="Jansen")
            assert f'value="{patient}"' in self.page.text, self.page.text
            self.send(patient=patient)
        answer = self.send(decision="allow", **({"patient": patient} if patient else {}))
        assert answer.status_code == 302, answer.text
        return answer.headers["Location"]
