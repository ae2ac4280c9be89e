"""What Prometheus reads of notices, and of its own voice: when Alertmanager's watchdog was last heard."""

from collections.abc import Iterator
from datetime import timedelta

from django.utils import timezone
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from healthrecords.notify.models import Delivery, State

from .models import Watchdog


class NoticeCollector(Collector):
    """Asks the database at each scrape; without an answer there are no figures, which is an alarm by itself."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """The gauges, in seconds and deliveries; one that is not known is left out."""
        for name, words, value in list(_gauges()):
            yield GaugeMetricFamily(name, words, value=value)


def _gauges() -> Iterator[tuple[str, str, float]]:
    now = timezone.now()
    given_up = Delivery.objects.filter(state=State.FAILED, ended_at__gt=now - timedelta(days=1))
    yield "notices_waiting", "Messages to people that wait.", Delivery.objects.filter(state=State.WAITING).count()
    yield "notices_failed", "Messages to people given up in the last 24 hours.", given_up.count()
    if heard := Watchdog.last_heard():
        yield "alerts_watchdog_age_seconds", "Seconds since Alertmanager was heard.", (now - heard).total_seconds()
