"""The edge of a request: its id, the address it came from, and the tokens of machines of our own."""

import hmac
import re
from collections.abc import Callable
from ipaddress import ip_address, ip_network

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from uuid6 import uuid7

from healthrecords.access import acting

_REQUEST_ID = re.compile(r"[A-Za-z0-9-]{8,64}")


def has_token(request: HttpRequest, token: str) -> bool:
    """Whether a request carries this bearer token (RFC 6750); none does where the token is empty."""
    given = request.headers.get("Authorization", "").encode()
    return bool(token) and hmac.compare_digest(given, f"Bearer {token}".encode())


class RequestIdentity:
    """Gives each request `request_id` and `client_address`; what a proxy says is believed from our own proxy only."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self.proxies = [ip_network(each, strict=False) for each in settings.TRUSTED_PROXIES]

    def __call__(self, request: HttpRequest) -> HttpResponse:
        peer = request.META.get("REMOTE_ADDR", "")
        trusted = self._is_proxy(peer)
        asked = request.headers.get("X-Request-Id", "")
        request.request_id = asked if trusted and _REQUEST_ID.fullmatch(asked) else str(uuid7())  # type: ignore[attr-defined]
        request.client_address = self._client(request, peer) if trusted else peer  # type: ignore[attr-defined]
        acting.begin(None)  # threads serve many requests
        response = self.get_response(request)
        response["X-Request-Id"] = request.request_id  # type: ignore[attr-defined]
        return response

    def _is_proxy(self, address: str) -> bool:
        try:
            return any(ip_address(address) in network for network in self.proxies)
        except ValueError:
            return False

    def _client(self, request: HttpRequest, peer: str) -> str:
        """The last address that our proxy added; malformed ones are not taken over."""
        last = request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
        try:
            return str(ip_address(last))
        except ValueError:
            return peer
