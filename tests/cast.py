"""The cast of the tests, as fixtures: an integrator, a clinician, an operator and an outsider, each at the API."""

import email
import json
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.message import Message
from typing import Any

import pytest

PATIENT = {
    "resourceType": "Patient",
    "identifier": [{"system": "urn:example:mrn", "value": "MRN-1"}],
    "name": [{"use": "official", "family": "Jansen", "given": ["Maria", "Louise"]}],
    "gender": "female",
    "birthDate": "1980-05-17",
}


APP = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"  # the secret of everybody's authenticator app


class Caller:
    """Somebody at the FHIR API, with a token or without one."""

    def __init__(self, token: str | None) -> None:
        from django.test import Client

        self.client = Client(raise_request_exception=False)
        self.token = token

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """Send a request below /fhir; `headers` by their names with underscores. A dict goes as FHIR JSON."""
        if self.token:
            headers.setdefault("Authorization", f"Bearer {self.token}")
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        kind = named.pop("Content-Type", "application/fhir+json")
        data = json.dumps(body) if isinstance(body, dict | list) else (body or "")
        url = path if path.startswith(("/", "http")) else f"/fhir/{path}"
        return self.client.generic(method, url, data, content_type=kind, headers=named)

    def get(self, path: str, **headers: str) -> Any:
        return self.send("GET", path, **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        return self.send("POST", path, body, **headers)

    def put(self, path: str, body: Any, **headers: str) -> Any:
        return self.send("PUT", path, body, **headers)

    def delete(self, path: str, **headers: str) -> Any:
        return self.send("DELETE", path, **headers)

    def create(self, body: Any = None, **changes: Any) -> dict[str, Any]:
        """Create a resource (a patient unless said otherwise) and return it as stored."""
        sent = {**(body or PATIENT), **changes}
        answer = self.post(sent["resourceType"], sent)
        assert answer.status_code == 201, answer.content
        return answer.json()


@pytest.fixture
def caller_with_role(db: None) -> Callable[[str], Caller]:
    """Make a caller whose token has the role named."""
    from healthrecords.accounts.models import ApiToken, Role

    def make(role: str) -> Caller:
        return Caller(ApiToken.issue(f"{role} token", Role.objects.get(name=role), [], 90)[1])

    return make


@pytest.fixture
def integrator(caller_with_role: Callable[[str], Caller]) -> Caller:
    return caller_with_role("integrator")


@pytest.fixture
def clinician(caller_with_role: Callable[[str], Caller]) -> Caller:
    return caller_with_role("clinician")


@pytest.fixture
def operator(caller_with_role: Callable[[str], Caller]) -> Caller:
    return caller_with_role("operator")


@pytest.fixture
def outsider(db: None) -> Caller:
    return Caller(None)


@pytest.fixture
def trail(db: None) -> Callable[..., list[Any]]:
    """The rows of the access log, oldest first, narrowed by column values."""
    from compliance.phi_access.models import AccessEvent

    return lambda **terms: list(AccessEvent.objects.filter(**terms).order_by("time", "uuid"))


def enter(client: Any, person: Any) -> Any:
    """Sign a person in, in this browser, as if by password and authenticator app; return the browser."""
    import time

    from allauth.account.internal.userkit import user_id_to_str
    from allauth.mfa.models import Authenticator

    client.force_login(person)
    app = Authenticator.objects.filter(user=person).first() or give_app(person)
    session = client.session
    session["account_authentication_methods"] = [{"method": "mfa", "type": app.type, "id": app.pk, "at": time.time()}]
    session["account_authentication_methods_user"] = user_id_to_str(person)
    session.save()
    return client


def give_app(person: Any) -> Any:
    """Give a person an authenticator app with a secret that the test knows."""
    from allauth.mfa.totp.internal.auth import TOTP

    return TOTP.activate(person, APP).instance


def code(step: int = 0, secret: str = APP) -> str:
    """What such an app shows now, or `step` periods of 30 seconds later."""
    from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time

    steps = list(yield_hotp_counters_from_time())
    return format_hotp_value(hotp_value(secret, steps[len(steps) // 2] + step))


@pytest.fixture
def signed_in(db: None) -> Callable[..., Any]:
    """Make a browser in which a person with the roles named is signed in, with a second factor.

    The person is called by the first role.
    """
    from django.test import Client

    from healthrecords.accounts.models import Role, User

    def make(*roles: str) -> Client:
        name = roles[0] if roles else "nobody"
        held = list(Role.objects.filter(name__in=roles))
        return enter(Client(), User.objects.invite(f"{name}@example.org", name, held))

    return make


@pytest.fixture
def broken_trail(monkeypatch: pytest.MonkeyPatch) -> None:
    """A trail that cannot be written in the request's transaction."""
    from django.db import DatabaseError

    from compliance.phi_access import ledger
    from healthrecords import trail

    def fail(entry: Any, using: str) -> None:
        if using == "default":
            raise DatabaseError("no space left")
        ledger.write(entry, using)

    monkeypatch.setattr(trail, "_sink", lambda: fail)


class Post:
    """A mail server that keeps what it is given."""

    def __init__(self) -> None:
        self.messages: list[Message] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        self.messages.append(email.message_from_bytes(envelope.content))
        return "250 kept"


@contextmanager
def mail_server(post: Post, settings: Any) -> Iterator[list[Message]]:
    """Run a real mail server, to which the settings lead; answer what it has been given."""
    from aiosmtpd.controller import Controller

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = Controller(post, hostname="127.0.0.1", port=port)
    server.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.MAIL_IS_SET, settings.EMAIL_HOST, settings.EMAIL_PORT = True, "127.0.0.1", port
    yield post.messages
    server.stop()


@pytest.fixture
def inbox(settings: Any) -> Iterator[list[Message]]:
    """What a mail server has been given that takes everything."""
    with mail_server(Post(), settings) as messages:
        yield messages
