"""What Prometheus reads of the trail: how old the newest seal is, what waits for one, and what was found."""

from collections.abc import Iterator

from django.core.cache import cache
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from compliance.audit.status import Status, status
from compliance.audit.tasks import FINDINGS, UNRECORDED


class AuditCollector(Collector):
    """Asks the database at each scrape; without an answer there are no figures, which is an alarm by itself."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """The gauges, in seconds and events."""
        yield from _gauges(status())


def _gauges(now: Status) -> Iterator[GaugeMetricFamily]:
    age, waiting_for = now.last_seal_seconds, now.oldest_unsealed_seconds
    for name, words, value in (
        ("audit_last_seal_age_seconds", "Seconds since the newest seal.", age),
        ("audit_oldest_unsealed_seconds", "Seconds that the oldest event has waited for a seal.", waiting_for),
        ("audit_unsealed_events", "Events that no seal covers yet.", now.unsealed_events),
        ("audit_findings", "Findings of the last verification.", cache.get(FINDINGS)),
        ("audit_unrecorded_requests", "Requests of the last day without an event.", cache.get(UNRECORDED)),
    ):  # fmt: skip
        if value is not None:
            yield GaugeMetricFamily(name, words, value=value)
    waiting = GaugeMetricFamily("audit_place_waiting_seconds", "Seconds that a seal has waited.", labels=["place"])
    held = GaugeMetricFamily("audit_place_age_seconds", "Age of the newest seal that it has.", labels=["place"])
    for place in now.places:
        waiting.add_metric([place.place], place.waiting_seconds)
        if place.age_seconds is not None:
            held.add_metric([place.place], place.age_seconds)
    yield waiting
    yield held
