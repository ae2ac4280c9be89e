"""Asks the proxy for the certificate that browsers see, and tells Prometheus how many days it has left."""

import logging
import socket
import ssl
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

from cryptography import x509
from django.conf import settings
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

log = logging.getLogger(__name__)

PATIENCE = 2  # seconds
KEPT = 600  # seconds that an answer serves, so that a scrape seldom waits for a handshake
DAY = 24 * 3600


class CertificateCollector(Collector):
    """Of HEALTHCARE_PUBLIC_URL, asked at HEALTHCARE_FRONT; a proxy that does not answer leaves the figure out."""

    def __init__(self) -> None:
        self._ends, self._asked = 0.0, 0.0

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Days, less than nothing once it has ended."""
        if not settings.PUBLIC_URL.startswith("https:"):
            return
        if time.time() - self._asked > KEPT:
            self._ask()
        if self._ends:
            days = (self._ends - time.time()) / DAY
            yield GaugeMetricFamily("certificate_days_left", "Days until the certificate ends.", value=days)

    def _ask(self) -> None:
        self._ends, self._asked = 0.0, time.time()
        try:
            self._ends = end_of(settings.PUBLIC_URL, settings.FRONT)
        except (OSError, ValueError) as fault:
            log.error("The proxy shows no certificate: %s", type(fault).__name__)


def end_of(url: str, front: str = "") -> float:
    """When the certificate of an address ends, in seconds since the epoch; `front` is HOST:PORT to ask instead.

    It is read, not trusted: one of no known authority, or one that has ended, is told, too.
    """
    name, port_named = urlsplit(url).hostname, urlsplit(url).port or 443
    host, _, port = (front or f"{name}:{port_named}").rpartition(":")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    plain = socket.create_connection((host, int(port)), timeout=PATIENCE)
    with plain, context.wrap_socket(plain, server_hostname=name) as shown:
        found = shown.getpeercert(binary_form=True) or b""
    return x509.load_der_x509_certificate(found).not_valid_after_utc.timestamp()
