"""Counts background tasks and looks into their queues, for Prometheus.

Workers are other processes, in production on other machines, than the one that is scraped. Their counts are kept in
the cache, where every process adds to the same figures; a flushed cache is a restart, which Prometheus knows to handle.
"""

import json
import logging
import time
from collections.abc import Iterator
from typing import Any

from celery import signals
from django_redis import get_redis_connection
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from healthrecords.accounts import blocking
from healthrecords.celery import app
from healthrecords.schedule import QUEUES

logger = logging.getLogger(__name__)

_COUNTS = "healthrecords:tasks"  # a hash of `task outcome` to how often
_SENT_AT = "sent_at"


@signals.before_task_publish.connect
def stamp(headers: dict[str, Any] | None = None, **_: Any) -> None:
    """Write on a task when it was sent, so that the oldest in a queue can be told."""
    if headers is not None:
        headers[_SENT_AT] = time.time()


@signals.task_success.connect
def _good(sender: Any, **_: Any) -> None:
    _count(sender.name, "success")


@signals.task_failure.connect
def _bad(sender: Any, **_: Any) -> None:
    _count(sender.name, "failure")


@signals.task_retry.connect
def _again(sender: Any, **_: Any) -> None:
    _count(sender.name, "retry")


def _count(task: str, outcome: str) -> None:
    """Add one, or leave a line where the cache does not answer: the task itself is done."""
    try:
        get_redis_connection().hincrby(_COUNTS, f"{task} {outcome}", 1)
    except Exception as fault:  # whatever the cache's client raises
        logger.warning("The outcome of %s is not counted: %s", task, type(fault).__name__)


class WorkCollector(Collector):
    """What waits, since when, and how tasks ended; a store that does not answer leaves its figures out."""

    def collect(self) -> Iterator[Metric]:
        """Queues from the broker; outcomes and blocked addresses from the cache."""
        for part in (_queues, _outcomes, _blocked):
            try:
                yield from part()
            except Exception as fault:  # whatever the client of broker or cache raises
                logger.error("Figures of %s could not be read: %s", part.__name__[1:], type(fault).__name__)


def _queues() -> list[Metric]:
    depth = GaugeMetricFamily("queue_depth", "Tasks that wait for a worker.", labels=["queue"])
    oldest = GaugeMetricFamily("queue_oldest_task_age_seconds", "Age of the oldest that waits.", labels=["queue"])
    with app.connection_for_read() as connection:
        broker = connection.default_channel.client
        for queue in QUEUES:
            depth.add_metric([queue], broker.llen(queue))
            oldest.add_metric([queue], _age(broker.lindex(queue, -1)))
    return [depth, oldest]


def _age(message: bytes | None) -> float:
    """Seconds since a message was sent; 0 where none waits or it does not say."""
    sent = json.loads(message)["headers"].get(_SENT_AT) if message else None
    return max(time.time() - sent, 0.0) if sent else 0.0


def _outcomes() -> list[Metric]:
    family = CounterMetricFamily("celery_tasks", "Background tasks that ended.", labels=["task", "outcome"])
    for key, count in sorted(get_redis_connection().hgetall(_COUNTS).items()):
        family.add_metric(key.decode().split(" "), int(count))
    return [family]


def _blocked() -> list[Metric]:
    words = "Addresses whose guesses are refused now."
    return [GaugeMetricFamily("blocked_addresses", words, value=blocking.blocked())]
