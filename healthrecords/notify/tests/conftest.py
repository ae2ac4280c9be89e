"""Receivers of the tests: a mail server (tests.cast.inbox) and a service that takes webhooks, both real."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from healthrecords.accounts.models import Role, User
from healthrecords.notify.models import Channel, Delivery, Notice, Route, State
from tests.cast import Post, mail_server


class Service:
    """A service that a webhook leads to: what it was given, and how it behaves."""

    def __init__(self) -> None:
        self.taken: list[dict[str, Any]] = []
        self.status, self.location, self.silent = 200, "", threading.Event()
        self.port = 0

    @property
    def address(self) -> str:
        return f"json://127.0.0.1:{self.port}/hook/a-long-secret"


@pytest.fixture
def service(settings: Any) -> Iterator[Service]:
    kept = Service()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if kept.silent.is_set():
                kept.silent.wait(30)
                threading.Event().wait(10)
            if kept.status == 200:
                kept.taken.append(json.loads(body))
            self.send_response(kept.status)
            if kept.location:
                self.send_header("Location", kept.location)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    kept.port = server.server_port
    settings.OUTGOING_ALLOW = [f"127.0.0.1:{kept.port}"]
    yield kept
    server.shutdown()
    server.server_close()


@pytest.fixture
def oncall(db: None, service: Service) -> Channel:
    """A channel that is told everything."""
    channel = Channel.objects.create(name="oncall", service="Webhook", address=service.address)
    Route.objects.create(channel=channel)
    return channel


@pytest.fixture
def operators(db: None) -> list[User]:
    roles = {name: Role.objects.get(name=name) for name in ("operator", "administrator", "clinician")}
    return [User.objects.invite(f"{name}@example.org", name, [role]) for name, role in roles.items()]


class Refusing(Post):
    """A mail server that has no mailbox `gone`."""

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802
        if address.startswith("gone@"):
            return "550 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 known"


@pytest.fixture
def refusing_inbox(settings: Any) -> Iterator[list[Any]]:
    """What such a mail server has been given."""
    with mail_server(Refusing(), settings) as messages:
        yield messages


def only(notice: Notice) -> Delivery:
    """The one delivery of a notice, as it is now."""
    return Delivery.objects.get(notice=notice)


def due_again() -> None:
    """Let the time pass that deliveries wait for."""
    Delivery.objects.filter(state=State.WAITING).update(next_at="2026-01-01T00:00Z")
