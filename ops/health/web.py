"""A small caller of HTTP services that the settings name: this server itself, and what watches it."""

import http.client
import json
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any
from urllib.parse import SplitResult, urlencode, urlsplit

NO_HEADERS: Mapping[str, str] = MappingProxyType({})
MOST = 8 * 1024 * 1024  # bytes of an answer


class Unanswered(Exception):
    """Nobody answered in form or time; the text is a sentence with the host alone."""


@dataclass(frozen=True)
class Answer:
    """Status, headers by lower-case name, body."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The body as JSON; raise Unanswered where it is none."""
        try:
            return json.loads(self.body)
        except ValueError:
            raise Unanswered("The answer is no JSON.") from None

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode(errors="replace")


@dataclass
class Site:
    """One address, asked with the cookies that it gave; `front` is where to connect instead of where it leads."""

    url: str
    seconds: float = 5.0
    front: str = ""
    cookies: dict[str, str] = field(default_factory=dict)

    def get(self, path: str, headers: Mapping[str, str] = NO_HEADERS) -> Answer:
        """Ask for a page."""
        return self.send("GET", path, None, headers)

    def post_form(self, path: str, fields: Mapping[str, str], headers: Mapping[str, str] = NO_HEADERS) -> Answer:
        """Send a form."""
        kind = {"Content-Type": "application/x-www-form-urlencoded", "Referer": f"{self.url}{path}"}
        return self.send("POST", path, urlencode(fields).encode(), {**kind, **headers})

    def send(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str] = NO_HEADERS) -> Answer:
        """Send one request; raise Unanswered. No redirect is followed."""
        parts = urlsplit(self.url)
        said = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())} if self.cookies else {}
        connection = self._connection(parts)
        try:
            connection.request(method, f"{parts.path.rstrip('/')}{path}", body, {**said, **headers})
            response = connection.getresponse()
            answer = Answer(response.status, _by_name(response), response.read(MOST))
            self._keep(response)
            return answer
        except (OSError, http.client.HTTPException) as fault:
            raise Unanswered(f"{parts.hostname}:{connection.port} does not answer ({_reason(fault)}).") from fault
        finally:
            connection.close()

    def _connection(self, parts: SplitResult) -> http.client.HTTPConnection:
        host, secure = parts.hostname or "", parts.scheme == "https"
        kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
        connection = kind(host, parts.port, timeout=self.seconds)
        if self.front:
            connection.sock = self._through(host, secure)
        return connection

    def _through(self, host: str, secure: bool) -> socket.socket:
        """A connection to the front under the address's own name."""
        name, _, port = self.front.rpartition(":")
        try:
            raw = socket.create_connection((name, int(port)), self.seconds)
            return ssl.create_default_context().wrap_socket(raw, server_hostname=host) if secure else raw
        except OSError as fault:
            raise Unanswered(f"{self.front} does not answer ({_reason(fault)}).") from fault

    def _keep(self, response: http.client.HTTPResponse) -> None:
        for line in response.headers.get_all("Set-Cookie") or []:
            name, _, value = line.partition(";")[0].partition("=")
            self.cookies[name.strip()] = value.strip()


def _by_name(response: http.client.HTTPResponse) -> dict[str, str]:
    return {name.lower(): value for name, value in response.getheaders()}


def _reason(fault: Exception) -> str:
    if isinstance(fault, ssl.SSLError):
        return "its certificate or its TLS is not accepted"
    if isinstance(fault, TimeoutError):
        return "it took too long"
    if isinstance(fault, ConnectionRefusedError):
        return "nothing listens there"
    return "the connection failed or broke off"
