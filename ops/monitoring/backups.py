"""What Prometheus reads of the backups, as it was last published."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.utils import timezone
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from ops.proof.models import Backups


class BackupCollector(Collector):
    """Asks the database at each scrape; without an answer there are no figures, which is an alarm by itself."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """The gauges, in seconds and bytes; one that is not known is left out."""
        found = Backups.published()
        for name, words, value in _gauges(found) if found else ():
            if value is not None:
                yield GaugeMetricFamily(name, words, value=value)


def _gauges(found: dict[str, Any]) -> Iterator[tuple[str, str, float | None]]:
    newest, proof = found["newest"] or {}, found["proof"] or {}
    yield "backup_published_age_seconds", "Seconds since anything was heard of the backups.", _age(found["time"])
    yield "backup_last_age_seconds", "Seconds since the moment of the newest backup.", _age(newest.get("stopped"))
    yield "backup_last_size_bytes", "Sealed size of the newest backup.", newest.get("size")
    yield "backup_last_duration_seconds", "Seconds that the newest backup took.", newest.get("seconds")
    yield "backup_proof_age_seconds", "Seconds since the last proven test restore.", _age(proof.get("time"))
    yield "backup_recovery_seconds", "Recovery time of the last proven test restore (RTO).", proof.get("seconds")
    yield "backup_data_age_seconds", "Age of the data that it brought back (RPO).", proof.get("age")
    yield "backup_restorable_until_age_seconds", "Seconds since the newest moment to go back to.", _age(found["until"])
    yield "backup_repository_bytes", "Bytes of backups and log in the repository.", found["bytes"]
    yield "backup_kept_log_bytes", "Bytes of log that the database keeps for the receiver.", found["kept_log_bytes"]
    yield "backup_warnings", "Things about backups that an operator should mind.", len(found["warnings"])


def _age(time: str | None) -> float | None:
    return (timezone.now() - datetime.fromisoformat(time)).total_seconds() if time else None
