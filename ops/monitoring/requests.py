"""Counts and times requests by part, method and status; no address, name or id becomes a label.

What alerts look for exists from the start at zero: of a series that begins with its first error Prometheus sees no
increase.
"""

import time
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from prometheus_client import Counter, Histogram

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"})
PARTS = frozenset({"fhir", "oauth", "admin", "accounts", "static"})
PROBES = frozenset({"health", "metrics", "alerts"})  # what machines ask about the server itself
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1, 2.5, 5, 10)  # seconds; the runbook asks at 50 to 500 ms

REQUESTS = Counter("http_requests", "Requests answered.", ["part", "method", "status"])
DURATION = Histogram(
    "http_request_duration_seconds", "Time from request to answer.", ["part", "method"], buckets=BUCKETS
)
for _part in PARTS:
    for _method in ("GET", "POST"):
        for _status in (200, 500, 503):
            REQUESTS.labels(_part, _method, _status)


class RequestMetrics:
    """Middleware: the outermost, so that it times all the others."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        begun = time.perf_counter()
        response = self.get_response(request)
        part, method = part_of(request.path), request.method if request.method in METHODS else "other"
        DURATION.labels(part, method).observe(time.perf_counter() - begun)
        REQUESTS.labels(part, method, response.status_code).inc()
        return response


def part_of(path: str) -> str:
    """The part of the server that an address belongs to: one of PARTS, `probe` or `other`."""
    first = path.split("/", 2)[1] if "/" in path else ""
    return first if first in PARTS else "probe" if first in PROBES else "other"
