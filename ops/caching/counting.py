"""The cache's backend: django-redis, which also counts by kind whether a look-up found something."""

from typing import Any

from django_redis.cache import RedisCache
from prometheus_client import Counter

from .kinds import kind_of

REQUESTS = Counter("cache_requests", "Look-ups in the cache.", ["kind", "result"])
_found: dict[str, list[int]] = {}  # by kind, hits and misses of this process


class CountedCache(RedisCache[Any]):
    """Counts `get`, by which things are looked up; counters (`add`, `incr`) have no hits and misses."""

    def get(self, key: Any, default: Any = None, version: Any = None, client: Any = None) -> Any:
        value = super().get(key, _NOTHING, version, client)
        _count(kind_of(str(key)), value is not _NOTHING)
        return default if value is _NOTHING else value


_NOTHING = object()


def _count(kind: str, hit: bool) -> None:
    REQUESTS.labels(kind, "hit" if hit else "miss").inc()
    _found.setdefault(kind, [0, 0])[not hit] += 1


def counts() -> dict[str, list[int]]:
    """Hits and misses of this process since it began, by kind."""
    return {kind: list(both) for kind, both in _found.items()}
