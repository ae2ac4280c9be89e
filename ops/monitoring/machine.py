"""What Prometheus reads of the machine that serves: memory, processor, and the disk of the data directory."""

from collections.abc import Iterator
from pathlib import Path

import psutil
from django.conf import settings
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

CGROUP = Path("/sys/fs/cgroup")


class MachineCollector(Collector):
    """Read at each scrape, whichever process answers it: a machine has one memory and one disk."""

    def collect(self) -> Iterator[Metric]:
        """Percent of memory, seconds of the processors, bytes and percent of the disk."""
        yield GaugeMetricFamily("memory_usage_percent", "Memory in use, of what there is.", value=memory_percent())
        yield _processor()
        disk = psutil.disk_usage(str(_existing(settings.DATA_DIR)))
        yield GaugeMetricFamily("disk_usage_percent", "Disk of the data directory in use.", value=disk.percent)
        yield GaugeMetricFamily("disk_free_bytes", "Disk of the data directory that is free.", value=disk.free)


def memory_percent(cgroup: Path = CGROUP) -> float:
    """Percent of memory in use: of the container's limit where there is one and it is nearer, else of the machine's."""
    return max(float(psutil.virtual_memory().percent), _of_limit(cgroup))


def _of_limit(cgroup: Path) -> float:
    """Percent of the limit of a control group (version 2), without pages of files that can be dropped at once."""
    try:
        limit, used = (cgroup / "memory.max").read_text().strip(), int((cgroup / "memory.current").read_text())
        told = dict(line.split() for line in (cgroup / "memory.stat").read_text().splitlines())
    except (OSError, ValueError):
        return 0.0
    if not limit.isdigit():
        return 0.0
    return round(100 * (used - int(told.get("inactive_file", 0))) / int(limit), 1)


def _processor() -> CounterMetricFamily:
    told = psutil.cpu_times()
    idle = told.idle + getattr(told, "iowait", 0.0)
    family = CounterMetricFamily("machine_cpu_seconds", "Seconds of all processors together.", labels=["mode"])
    family.add_metric(["idle"], idle)
    guests = getattr(told, "guest", 0.0) + getattr(told, "guest_nice", 0.0)  # counted in user and nice already
    family.add_metric(["busy"], sum(told) - idle - guests)
    return family


def _existing(folder: Path) -> Path:
    return folder if folder.exists() else _existing(folder.parent)
