"""What Prometheus reads of the pools of database connections: those of this host's web processes, added up."""

import socket
from collections.abc import Iterator

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from ops.performance import pools, processes


class PoolCollector(Collector):
    """As the processes told last, at most some seconds ago; without the cache there are no figures."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Size, limit, what is free, and who waits."""
        told = processes.reports()
        here = [each for each in told if each["kind"] == "web" and each["host"] == socket.gethostname()]
        found = pools.of(here)
        if found:
            yield _gauge("size", "Connections that the pools hold.", sum(pool.size for pool in found))
            yield _gauge("max", "Connections that they may hold at most.", sum(pool.most for pool in found))
            yield _gauge("available", "Of these, connections without work.", sum(pool.available for pool in found))
            yield _gauge("waiting", "Requests that wait for one.", sum(pool.waiting for pool in found))


def _gauge(name: str, words: str, value: int) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"database_pool_{name}", words, value=value)
