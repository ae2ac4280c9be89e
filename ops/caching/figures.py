"""How often the cache helps, and what it uses."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from .server import asked

TARGET = 90.0  # percent of its memory that may be used before something must go


def by_kind(reports: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Look-ups of all processes since each began, by kind, with the percent that found something."""
    hits, misses = Counter[str](), Counter[str]()
    for report in reports:
        for kind, (hit, miss) in report["cache"].items():
            hits[kind] += hit
            misses[kind] += miss
    return [
        {"kind": kind, "hits": hits[kind], "misses": misses[kind],
         "percent": round(100 * hits[kind] / (hits[kind] + misses[kind]), 1)}
        for kind in sorted(hits | misses)
    ]  # fmt: skip


def server() -> dict[str, Any]:
    """What the server counted since it started, of the cache and the queues together."""
    with asked() as client:
        told = client.info()
    looked = told["keyspace_hits"] + told["keyspace_misses"]
    return {
        "version": told.get("valkey_version") or told["redis_version"],
        "up_days": round(told["uptime_in_seconds"] / 86400, 1),
        "operations_per_second": told["instantaneous_ops_per_sec"],
        "hits_percent": round(100 * told["keyspace_hits"] / looked, 1) if looked else None,
        "expired": told["expired_keys"],
        "evicted": told["evicted_keys"],
        "clients": told["connected_clients"],
    }


def memory() -> dict[str, Any]:
    """Bytes that the server uses and may use, what it does when it is full, and keys by database."""
    with asked() as client:
        told = client.info()
    most = told["maxmemory"]
    return {
        "bytes": told["used_memory"],
        "peak_bytes": told["used_memory_peak"],
        "most_bytes": most or None,
        "percent": round(100 * told["used_memory"] / most, 1) if most else None,
        "when_full": told["maxmemory_policy"],
        "fragmentation": told.get("mem_fragmentation_ratio"),
        **{name: each["keys"] for name, each in told.items() if name.startswith("db") and isinstance(each, dict)},
    }
