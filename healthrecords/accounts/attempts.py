"""Counts guesses at a password, for each account and address together, in the cache.

The count is a brake, not the lock: without the cache each attempt waits a second instead, and sign-in still works.
"""

import hashlib
import logging
import time

from django.core.cache import cache

logger = logging.getLogger(__name__)

MOST = 10  # attempts in a window
WINDOW = 15 * 60  # seconds
WITHOUT_CACHE = 1.0  # seconds that an attempt waits while the cache is down


def exhausted(email: str, address: str) -> bool:
    """Count one attempt; tell whether it is one too many. Counting first lets no two guesses share a place."""
    key = _key(email, address)
    try:
        cache.add(key, 0, WINDOW)
        return cache.incr(key) > MOST
    except Exception as fault:  # whatever the cache's client raises
        logger.warning("Sign-in attempts are not counted, the cache does not answer: %s", type(fault).__name__)
        time.sleep(WITHOUT_CACHE)
        return False


def forget(email: str, address: str) -> None:
    """Start the count anew after a sign-in that succeeded."""
    try:
        cache.delete(_key(email, address))
    except Exception as fault:
        logger.warning("The count of sign-in attempts was not reset: %s", type(fault).__name__)


def _key(email: str, address: str) -> str:
    """The cache holds no e-mail addresses, only their hash."""
    return "sign-in:" + hashlib.sha256(f"{email.strip().lower()}|{address}".encode()).hexdigest()
