"""The way to the cache's server, for commands."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import redis
from django.core.management.base import CommandError
from django_redis import get_redis_connection


@contextmanager
def asked() -> Iterator[Any]:
    """A client of the server; raises CommandError with one sentence where it does not answer."""
    try:
        yield get_redis_connection()
    except redis.RedisError as fault:
        raise CommandError(
            f"The cache does not answer ({type(fault).__name__}); start Valkey, or check HEALTHCARE_CACHE_URL."
        ) from None
