"""Counts, once a day, whether all that must be sealed is, and tells Prometheus what share of it."""

import time
from collections.abc import Iterator

from django.core.cache import cache
from django.db import connection, transaction
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from healthrecords.crypto.columns import NO_ENVELOPE, census

_COUNTED = "encryption-counted"  # in the cache: share and time of the last count, which a new one replaces


def measure() -> tuple[int, int]:
    """Read every sealed column; return how many values there are, and how many of them stand in the clear."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL statement_timeout = 0")  # it reads all rows, at night
        counts = census()
    values = sum(sum(each.values()) for each in counts.values())
    clear = sum(each[NO_ENVELOPE] for each in counts.values())
    cache.set(_COUNTED, {"share": 1 - clear / values if values else 1.0, "time": time.time()}, timeout=None)
    return values, clear


class EncryptionCollector(Collector):
    """The last count; before the first there is no figure."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """The share, and how old it is."""
        if counted := cache.get(_COUNTED):
            share, age = counted["share"], time.time() - counted["time"]
            yield GaugeMetricFamily("encryption_coverage_ratio", "Share of what must be sealed that is.", value=share)
            yield GaugeMetricFamily("encryption_measured_age_seconds", "Seconds since it was counted.", value=age)
