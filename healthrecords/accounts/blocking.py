"""Which addresses are refused guesses right now, for the figures; attempts alone decides, this only remembers.

A sorted set in the cache of keyed hashes, each with the end of its block. No address stands in it.
"""

import logging
import time
from typing import Any

from django.utils.crypto import salted_hmac
from django_redis import get_redis_connection

logger = logging.getLogger(__name__)

_KEY = "healthrecords:blocked"


def note(address: str, ends: int) -> None:
    """Remember that guesses from an address are refused until `ends` (seconds since the epoch)."""
    hashed = salted_hmac("healthrecords.blocking", address, algorithm="sha256").hexdigest()[:16]
    try:
        store = get_redis_connection()
        store.zadd(_KEY, {hashed: ends}, gt=True)
        store.expireat(_KEY, ends + 24 * 3600)
    except Exception as fault:  # whatever the cache's client raises: the guess is refused all the same
        logger.warning("A blocked address is not counted: %s", type(fault).__name__)


def blocked() -> int:
    """How many addresses are refused now; raises what the cache's client raises."""
    store: Any = get_redis_connection()
    store.zremrangebyscore(_KEY, "-inf", int(time.time()))
    return int(store.zcard(_KEY))
