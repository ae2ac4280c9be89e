"""What is sampled: one row for each figure. Which metrics there are is told by docs/metrics.md."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from django.conf import settings

from ops.performance.resources import TARGETS

from .models import Figures
from .reading import Reading, quantile

LATENCY = "http_request_duration_seconds"


@dataclass(frozen=True)
class Counted:
    """A counter that is sampled: the sum of the series of `metric` whose labels match."""

    metric: str
    labels: dict[str, str] = field(default_factory=dict)


WORK = {"part": "(?!probe).*"}  # without what probes and Prometheus ask
COUNTERS = {
    "requests": Counted("http_requests_total", WORK),
    "errors": Counted("http_requests_total", WORK | {"status": "5.."}),
    "reads": Counted("phi_access_total", {"action": "read|search|history", "outcome": "success"}),
    "denials": Counted("phi_access_denied_total"),
    "busy": Counted("machine_cpu_seconds_total", {"mode": "busy"}),
    "idle": Counted("machine_cpu_seconds_total", {"mode": "idle"}),
}


def counters(now: Reading) -> dict[str, float]:
    """The state of all counters, and of the buckets of the latency, to subtract from the next minute's."""
    totals = {name: now.total(counted.metric, **counted.labels) for name, counted in COUNTERS.items()}
    bounds = {f"le {bound}": value for bound, value in now.buckets(LATENCY, **WORK).items()}
    return {name: value for name, value in totals.items() if value is not None} | bounds


@dataclass(frozen=True)
class Minute:
    """A scrape, what was counted then, and what was counted `minutes` before; without that there are no rates."""

    now: Reading
    after: dict[str, float]
    before: dict[str, float]
    minutes: float

    def grown(self, name: str) -> float:
        """How much a counter has grown; one that began again, with its process, counts from zero."""
        before, after = self.before.get(name, 0.0), self.after[name]
        return after - before if after >= before else after


Worth = Callable[[Minute], float | None]


def per_minute(name: str) -> Worth:
    """The growth of a counter, for one minute."""

    def worth(minute: Minute) -> float | None:
        known = minute.before and name in minute.after
        return minute.grown(name) / minute.minutes if known else None

    return worth


def processors() -> Worth:
    """The share of the processors' time that was busy, in percent."""

    def worth(minute: Minute) -> float | None:
        if not minute.before or "busy" not in minute.after:
            return None
        busy, idle = minute.grown("busy"), minute.grown("idle")
        return 100 * busy / (busy + idle) if busy + idle else None

    return worth


def latency(share: float) -> Worth:
    """A quantile of the minute's requests, in milliseconds; None in a minute without any."""

    def worth(minute: Minute) -> float | None:
        grown = {float(key[3:]): minute.grown(key) for key in minute.after if key.startswith("le ")}
        seconds = quantile(share, grown) if minute.before else None
        return None if seconds is None else seconds * 1000

    return worth


def level(metric: str, **labels: str) -> Worth:
    """What a gauge says, the highest of its series."""
    return lambda minute: minute.now.highest(metric, **labels)


@dataclass(frozen=True)
class Figure:
    """One figure: what it is called, in which unit ("", ms, %, s), how it is worked out, and what it should not pass.

    `worst` figures are folded into longer times by their highest value, the others by their mean.
    """

    name: str
    title: str
    worth: Worth
    unit: str = ""
    about: str = ""
    worst: bool = False
    limit: float | None = None

    def fold(self, values: Iterable[float | None]) -> float | None:
        """One value for several; None where none is known."""
        known = [value for value in values if value is not None]
        if not known:
            return None
        return max(known) if self.worst else sum(known) / len(known)


GROUPS: tuple[tuple[str, tuple[Figure, ...]], ...] = (
    ("Requests", (
        Figure("requests", "Requests", per_minute("requests"), about="a minute"),
        Figure("errors", "Server errors", per_minute("errors"), about="a minute"),
        Figure("p95", "Response time", latency(0.95), "ms", "95th percentile", worst=True, limit=200),
    )),
    ("Patient records", (
        Figure("reads", "Disclosures", per_minute("reads"), about="a minute"),
        Figure("denials", "Denied accesses", per_minute("denials"), about="a minute"),
    )),
    ("What must not stop", (
        Figure("queue", "Waiting tasks", level("queue_depth"), about="longest queue", worst=True),
        Figure("unsealed", "Oldest event without a seal", level("audit_oldest_unsealed_seconds"), "s", worst=True,
               limit=180),
        Figure("backup", "Age of the newest backup", level("backup_last_age_seconds"), "s", worst=True,
               limit=settings.BACKUP_MAX_HOURS * 3600),
    )),
    ("The machine", (
        Figure("cpu", "Processors", processors(), "%", limit=TARGETS["processor"]),
        Figure("memory", "Memory", level("memory_usage_percent"), "%", worst=True,
               limit=TARGETS["memory"]),
        Figure("disk", "Fullest disk", level("disk_usage_percent"), "%", worst=True, limit=TARGETS["disk"]),
    )),
)  # fmt: skip
FIGURES = tuple(figure for _, group in GROUPS for figure in group)


def folded(several: list[Figures]) -> Figures:
    """The figures of a longer time from those of its parts."""
    return {figure.name: figure.fold(each.get(figure.name) for each in several) for figure in FIGURES}
