"""What Prometheus reads of the room that holds nothing, as `maintain report` measured it last."""

from collections.abc import Iterator

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from ops.maintenance.tasks import REPORT
from ops.runs import Run


class BloatCollector(Collector):
    """The figure of the newest run; measuring takes too long for a scrape."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Bytes, once they were measured."""
        newest = Run.objects.filter(command=REPORT, data__has_key="wasted").first()
        if newest:
            words = "Bytes of tables and indexes that hold nothing."
            yield GaugeMetricFamily("database_bloat_bytes", words, value=newest.data["wasted"])
