"""Valkey (Redis protocol): sessions stay in PostgreSQL, the cache holds only what may be lost (docs/caching.md)."""

from .environment import server_url

CACHES = {
    "default": {
        "BACKEND": "ops.caching.counting.CountedCache",
        "LOCATION": server_url("HEALTHCARE_CACHE_URL", "redis", "rediss", "unix"),
        "OPTIONS": {"SOCKET_CONNECT_TIMEOUT": 1, "SOCKET_TIMEOUT": 2},
        "KEY_PREFIX": "healthrecords",
    }
}
