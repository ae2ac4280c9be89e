"""Headers that every answer carries: what browsers may do with it, who may embed it, and that nobody keeps it.

Pages have the Content-Security-Policy of settings/web.py with a nonce; everything else is data, which loads nothing.
An answer that sets a header by itself keeps it.
"""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

_DATA_POLICY = "default-src 'none'; frame-ancestors 'none'"
_DENIED = (
    *("accelerometer", "ambient-light-sensor", "autoplay", "bluetooth", "browsing-topics", "camera", "display-capture"),
    *("encrypted-media", "fullscreen", "gamepad", "geolocation", "gyroscope", "hid", "idle-detection", "local-fonts"),
    *("magnetometer", "microphone", "midi", "payment", "picture-in-picture", "screen-wake-lock", "serial", "usb"),
    *("web-share", "xr-spatial-tracking"),
)
_ALLOWED = ("publickey-credentials-create", "publickey-credentials-get")  # passkeys
_ALWAYS = {
    "Permissions-Policy": ", ".join([*(f"{name}=()" for name in _DENIED), *(f"{name}=(self)" for name in _ALLOWED)]),
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Cache-Control": "no-store",  # static files say otherwise by themselves
}
# What scripts of another origin may see of an API answer, and send with a request.
_EXPOSED = "Content-Location, ETag, Last-Modified, Location, Retry-After, X-Request-Id"
_SENDABLE = "Accept, Authorization, Content-Type, If-Match, If-None-Exist, If-None-Match, Prefer, X-Purpose-Of-Use"
_METHODS = "GET, HEAD, POST, PUT, DELETE"
_SHARED = ("/fhir", "/oauth/token", "/oauth/revoke", "/oauth/introspect", "/.well-known/")


class EdgeHeaders:
    """Middleware: adds the headers that are missing, and answers other origins (CORS) if they are listed."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        origin = request.headers.get("Origin", "")
        shared = origin in settings.CORS_ORIGINS and request.path.startswith(_SHARED)
        asked_first = request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers
        response = _preflight() if shared and asked_first else self.get_response(request)
        for name, value in _ALWAYS.items():
            response.headers.setdefault(name, value)
        if not response.headers.get("Content-Type", "").startswith("text/html"):
            response.headers.setdefault("Content-Security-Policy", _DATA_POLICY)
        if settings.CORS_ORIGINS and request.path.startswith(_SHARED):
            _share(response, origin if shared else "")
        return response


def _preflight() -> HttpResponse:
    """What a browser is told before it sends a request of another origin (WHATWG Fetch §3.3)."""
    headers = {"Access-Control-Allow-Methods": _METHODS, "Access-Control-Allow-Headers": _SENDABLE}
    return HttpResponse(status=204, headers={**headers, "Access-Control-Max-Age": "600"})


def _share(response: HttpResponse, origin: str) -> None:
    """Let a listed origin read the answer; without cookies, which the API does not take anyway."""
    response.headers["Vary"] = ", ".join(filter(None, [response.headers.get("Vary", ""), "Origin"]))
    if origin:
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers["Access-Control-Expose-Headers"] = _EXPOSED
