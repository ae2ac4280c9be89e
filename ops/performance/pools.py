"""The pools of database connections: of this process, and as an overview of all that told of theirs."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db import connections

FIGURES = (
    *("pool_max", "pool_size", "pool_available", "requests_waiting"),
    *("requests_num", "requests_queued", "requests_wait_ms", "requests_errors"),
)
TARGET = 0.8  # of a pool's connections in use at most (runbook)


def own() -> dict[str, dict[str, int]]:
    """The figures of this process's pools, by alias; one that was never used has none."""
    known = {alias: _pool(alias) for alias in connections}
    told = {alias: pool.get_stats() for alias, pool in known.items() if pool and not pool.closed}
    return {alias: {name: each.get(name, 0) for name in FIGURES} for alias, each in told.items()}


def _pool(alias: str) -> Any:
    connection: Any = connections[alias]
    return connection.pool


@dataclass(frozen=True)
class Pool:
    """One pool of one process."""

    process: str
    alias: str
    most: int
    size: int
    available: int
    waiting: int
    requests: int
    queued: int
    wait_ms: int
    errors: int

    @property
    def use(self) -> float:
        """The share of the connections that it may have which work now."""
        return (self.size - self.available) / self.most if self.most else 0.0

    def as_row(self) -> dict[str, Any]:
        """What is shown of it; `mean_wait_ms` is over all requests for a connection."""
        return {
            "process": self.process, "pool": self.alias, "in_use": self.size - self.available, "size": self.size,
            "most": self.most, "percent": round(100 * self.use), "waiting": self.waiting, "requests": self.requests,
            "mean_wait_ms": round(self.wait_ms / self.requests, 2) if self.requests else 0.0, "errors": self.errors,
        }  # fmt: skip


def of(reports: Iterable[dict[str, Any]]) -> list[Pool]:
    """The pools that processes told of."""
    return [
        Pool(f"{report['kind']} {report['pid']}", alias, *(told[name] for name in FIGURES))
        for report in reports
        for alias, told in sorted(report["pools"].items())
    ]
