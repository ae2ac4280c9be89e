"""Requests that the server itself sends to an address that somebody else named: key sets, webhooks, witnesses.

Such an address must not become a way into our own network (OWASP: server-side request forgery). The name is resolved
once; every address it has must be on the public internet; the connection goes to the very address that was checked, so
that DNS which changes afterwards is harmless, and TLS still proves the name. No redirect is followed, no proxy, cookie
or credential of the environment is used, and an answer has a limit in bytes and in seconds.

OUTGOING_ALLOW lists the exceptions: `keys.clinic.example` or `keys.clinic.example:8443` may have a private address,
never a loopback or link-local one. The embedded start also takes `127.0.0.1:PORT` and `localhost:PORT`, over http.
"""

import http.client
import re
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from types import MappingProxyType
from urllib.parse import SplitResult, urlsplit

from django.conf import settings

SECONDS = 10.0  # for everything together, from connecting to the last byte
MOST = 1024 * 1024  # bytes of an answer
_OURS = {"Accept-Encoding": "identity", "Connection": "close"}
_LONGEST = 2048  # characters of an address
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
# The last label begins with a letter: what ends in a number is read as an IPv4 address, in many spellings (0x7f.1).
_NAME = re.compile(rf"(?:{_LABEL}\.)+[A-Za-z](?:[A-Za-z0-9-]{{0,61}}[A-Za-z0-9])?")
_LOOPBACK = frozenset({"127.0.0.1", "localhost"})
# Public by the registries, and yet a way elsewhere: relays into IPv4, and a cloud's own service.
_DETOURS = tuple(
    map(ip_network, ("192.0.0.0/24", "192.88.99.0/24", "168.63.129.16/32", "2002::/16", "2001::/23", "3fff::/20"))
)
_SITE = tuple(map(ip_network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")))  # RFC 1918, RFC 4193
_GLOBAL_UNICAST = ip_network("2000::/3")  # the only IPv6 that is routed; leaves out ::ffff:0:0/96 and 64:ff9b::/96


class OutgoingError(Exception):
    """The request was not sent or not answered; the text is a sentence without the address's path or query."""


class Refused(OutgoingError):
    """The address is not one that this server sends requests to."""


class Unanswered(OutgoingError):
    """The other side did not answer in time, in size or in form."""


@dataclass(frozen=True)
class Reply:
    """An answer: the status, the headers by lower-case name, and the whole body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Target:
    """Where a request goes: the checked address to connect to, and the name that TLS must prove."""

    secure: bool
    host: str
    port: int
    address: str
    path: str = field(repr=False)


def fetch(
    url: str,
    *,
    method: str = "GET",
    body: bytes | None = None,
    headers: Mapping[str, str] = MappingProxyType({}),
    most: int = MOST,
    seconds: float = SECONDS,
) -> Reply:
    """Send one request and return its answer, of any status but a redirect.

    Raises Refused for an address that is not permitted and for a redirect, Unanswered for silence, faulty TLS, and
    more than `most` bytes or `seconds` seconds.
    """
    target = check(url)
    try:
        with _connected(target, seconds) as connection:
            connection.request(method, target.path, body, {**_OURS, **headers})
            return _read(connection.getresponse(), most)
    except (OSError, http.client.HTTPException, ValueError) as fault:
        raise Unanswered(f"{target.host} did not answer: {_reason(fault)}.") from None


def check(url: str) -> Target:
    """Return where `url` leads, with its name resolved; raises Refused unless it may be asked."""
    parts = _parsed(url)
    host, port = (parts.hostname or "").lower(), parts.port or (443 if parts.scheme == "https" else 80)
    allowed = bool({host, f"{host}:{port}"} & set(settings.OUTGOING_ALLOW))
    local = allowed and host in _LOOPBACK and settings.EMBEDDED
    if parts.scheme != "https" and not local:
        raise Refused("Only https:// addresses are asked.")
    if port != 443 and f"{host}:{port}" not in settings.OUTGOING_ALLOW:
        raise Refused(f"Port {port} is not asked; HEALTHCARE_OUTGOING_ALLOW may list {host}:{port}.")
    address = _checked_address(host, port, allowed, local)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(parts.scheme == "https", host, port, address, path)


def resolve(host: str, port: int) -> list[str]:
    """Return all addresses of a name."""
    return [str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


def exceptions() -> list[tuple[str, int]]:
    """Return what OUTGOING_ALLOW opens now, as addresses with their ports; a name that is not known opens nothing."""
    found = []
    for entry in settings.OUTGOING_ALLOW:
        host, _, port = entry.partition(":")
        local = host in _LOOPBACK and settings.EMBEDDED
        with suppress(OSError, UnicodeError, ValueError):
            addresses = resolve(host, int(port or 443))
            found += [(each, int(port or 443)) for each in addresses if _permitted(ip_address(each), True, local)]
    return found


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Whether an address is an ordinary one of the public internet, by IANA's registries."""
    if not address.is_global or address.is_multicast or address.is_reserved:
        return False
    if isinstance(address, IPv6Address) and address not in _GLOBAL_UNICAST:
        return False
    return not any(address in network for network in _DETOURS)


def _parsed(url: str) -> SplitResult:
    """The parts of an address in plain printable ASCII: parsers disagree about everything else."""
    if len(url) > _LONGEST or not re.fullmatch(r"https?://[!-~]+", url) or "\\" in url:
        raise Refused("This is no http or https address in plain characters.")
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018  raises ValueError for one that is no number
    except ValueError:
        raise Refused("This address cannot be read.") from None
    if "@" in parts.netloc or "%" in parts.netloc or parts.netloc.endswith(":"):
        raise Refused("An address must not carry a user name or an encoded host.")
    return parts


def _checked_address(host: str, port: int, allowed: bool, local: bool) -> str:
    """The address to connect to. All that a name has must pass, or the next attempt might reach another one."""
    if not (allowed or _NAME.fullmatch(host) or _literal(host)):
        raise Refused("The host must be a full name such as keys.example.org.")
    try:
        found = [ip_address(each) for each in resolve(host, port)]
    except (OSError, UnicodeError, ValueError):
        raise Unanswered(f"The name {host} is not known.") from None
    if not found or not all(_permitted(each, allowed, local) for each in found):
        raise Refused(f"{host} has an address inside a private or special network.")
    return str(found[0])


def _permitted(address: IPv4Address | IPv6Address, allowed: bool, local: bool) -> bool:
    if local:
        return address.is_loopback
    return is_public(address) or (allowed and any(address in network for network in _SITE))


def _literal(host: str) -> bool:
    """Whether the host is an address in its one canonical spelling."""
    with suppress(ValueError):
        return str(ip_address(host)) == host
    return False


@contextmanager
def _connected(target: Target, seconds: float) -> Iterator[http.client.HTTPConnection]:
    """A connection to the checked address that lasts no longer than `seconds`."""
    raw = socket.create_connection((target.address, target.port), timeout=seconds)
    brake = _Brake(raw, seconds)
    kind = http.client.HTTPSConnection if target.secure else http.client.HTTPConnection
    connection = kind(target.host, target.port, timeout=seconds)
    try:
        connection.sock = _secured(raw, target.host) if target.secure else raw
        yield connection
    finally:
        brake.release()
        connection.close()
        raw.close()


def _secured(raw: socket.socket, host: str) -> socket.socket:
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context.wrap_socket(raw, server_hostname=host)


def _read(response: http.client.HTTPResponse, most: int) -> Reply:
    if 300 <= response.status < 400:
        raise Refused("The answer redirects elsewhere, and redirects are not followed.")
    body = response.read(most + 1)
    if len(body) > most:
        raise Unanswered(f"The answer is longer than {most} bytes.")
    if response.length:
        raise Unanswered("The answer ended too early.")
    return Reply(response.status, {name.lower(): value for name, value in response.getheaders()}, body)


class _Brake:
    """Ends a connection after some seconds, however slowly bytes trickle in: a socket's own timeout starts anew with
    each. It shuts a second handle, since TLS takes the first one over."""

    def __init__(self, connection: socket.socket, seconds: float) -> None:
        self._handle = connection.dup()
        self._timer = threading.Timer(seconds, self._stop)
        self._timer.daemon = True
        self._timer.start()

    def _stop(self) -> None:
        with suppress(OSError):
            self._handle.shutdown(socket.SHUT_RDWR)

    def release(self) -> None:
        self._timer.cancel()
        self._handle.close()


def _reason(fault: Exception) -> str:
    if isinstance(fault, ssl.SSLError):
        return "its certificate or its TLS is not accepted"
    if isinstance(fault, TimeoutError):
        return "it took too long"
    return "the connection failed or broke off"
