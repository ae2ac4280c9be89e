"""How much a client may ask for in a while: each request costs units by what it makes the server do.

The counts are in the cache. While it is down each process counts for itself: the API serves on (care does not wait for
a cache), with a limit that is as many times wider as there are processes.
"""

import logging
import time
from collections import Counter
from collections.abc import Iterable

from django.conf import settings
from django.core.cache import cache
from rest_framework.exceptions import Throttled

log = logging.getLogger(__name__)

WINDOW = 10  # seconds
AGAIN = 5.0  # seconds until a cache that was down is asked again
READ, WRITE, SEARCH, JOIN = 1, 2, 2, 2  # units
_JOINS = ("_include", "_revinclude", "_has")

_local: Counter[str] = Counter()
_down_until = 0.0


def cost(method: str, action: str, parameters: Iterable[str]) -> int:
    """The units of a request; `parameters` are the names in a search."""
    if "search" in action or action == "type_history":
        return SEARCH + JOIN * sum("." in name or name.startswith(_JOINS) for name in parameters)
    return READ if method in ("GET", "HEAD") else WRITE


def charge(client: str, units: int) -> None:
    """Take units from what a client has left; raises Throttled if nothing was left.

    What is left may go below nothing once, so that a large Bundle is never too large.
    """
    now = time.time()
    window = int(now) // WINDOW
    spent = _spend(f"rate:{client}:{window}", units)
    if spent - units >= settings.RATE_UNITS_PER_MINUTE * WINDOW // 60:
        wait = (window + 1) * WINDOW - now
        raise Throttled(wait, f"This client asks for more than its share; try again in {wait + 1:.0f} seconds.")


def _spend(key: str, units: int) -> int:
    global _down_until  # noqa: PLW0603  one cache, one state
    if time.monotonic() >= _down_until:
        try:
            cache.add(key, 0, 2 * WINDOW)
            return int(cache.incr(key, units))
        except Exception as fault:  # whatever the cache's client raises
            log.warning("Each process throttles for itself, the cache does not answer: %s", type(fault).__name__)
            _down_until = time.monotonic() + AGAIN
    if len(_local) > 10_000:
        _local.clear()
    _local[key] += units
    return _local[key]
