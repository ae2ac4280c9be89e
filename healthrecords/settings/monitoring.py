"""What watches this server, and the checks of its health."""

import re

from django.core.exceptions import ImproperlyConfigured

from .environment import optional


def _watcher(name: str) -> str:
    """The address of something that watches; one that is set is demanded by `health monitoring`."""
    url = optional(name).rstrip("/")
    if url and not url.startswith(("http://", "https://")):
        raise ImproperlyConfigured(f"{name} must be a URL that begins with http:// or https://.")
    return url


def _front(name: str) -> str:
    place = optional(name)
    if place and not re.fullmatch(r"\S+:[1-9]\d{0,4}", place):
        raise ImproperlyConfigured(f"{name} must be HOST:PORT, such as haproxy:8443.")
    return place


PROMETHEUS_URL = _watcher("HEALTHCARE_PROMETHEUS_URL")
ALERTMANAGER_URL = _watcher("HEALTHCARE_ALERTMANAGER_URL")
GRAFANA_URL = _watcher("HEALTHCARE_GRAFANA_URL")
# Where checks connect to reach PUBLIC_URL, where its name leads elsewhere from here.
FRONT = _front("HEALTHCARE_FRONT")

# Modules of checks (ops.health.registry), in the order in which they are told.
HEALTH_CHECKS = [
    "ops.health.database",
    "ops.health.stores",
    "ops.health.processes",
    "ops.health.external",
    "ops.health.monitoring",
    "ops.health.host",
    "ops.health.pages",
    "ops.health.integrity",
    "ops.alerts.checks",
    "compliance.audit.health",
]
