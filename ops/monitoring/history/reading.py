"""What the server says of itself at /metrics, in the exposition format of Prometheus."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample


@dataclass(frozen=True)
class Reading:
    """One scrape: the samples by their names."""

    samples: dict[str, list[Sample]]

    @classmethod
    def of(cls, text: str) -> Self:
        """Read an exposition; ValueError where it is none."""
        samples: dict[str, list[Sample]] = {}
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                samples.setdefault(sample.name, []).append(sample)
        return cls(samples)

    def total(self, name: str, **patterns: str) -> float | None:
        """The sum of a metric's series whose labels match, 0 where none does; None where nothing has that name."""
        return sum(self._values(name, patterns)) if name in self.samples else None

    def highest(self, name: str, **patterns: str) -> float | None:
        """The greatest of a metric's series whose labels match; None where there is none."""
        return max(self._values(name, patterns), default=None)

    def buckets(self, name: str, **patterns: str) -> dict[float, float]:
        """A histogram's observations up to each bound, over its series whose labels match."""
        found: dict[float, float] = {}
        for sample in self._series(f"{name}_bucket", patterns):
            bound = float(sample.labels["le"])
            found[bound] = found.get(bound, 0.0) + sample.value
        return found

    def _values(self, name: str, patterns: dict[str, str]) -> Iterator[float]:
        return (sample.value for sample in self._series(name, patterns))

    def _series(self, name: str, patterns: dict[str, str]) -> Iterator[Sample]:
        for sample in self.samples.get(name, ()):
            if all(re.fullmatch(pattern, sample.labels.get(label, "")) for label, pattern in patterns.items()):
                yield sample


def quantile(share: float, buckets: dict[float, float]) -> float | None:
    """The value below which that share of a histogram's observations lies, as Prometheus estimates it; None for none.

    Within a bucket the observations count as evenly spread; beyond the last finite bound the answer is that bound.
    """
    bounds = sorted(buckets)
    if not bounds or not buckets[bounds[-1]]:
        return None
    wanted, below, lower = share * buckets[bounds[-1]], 0.0, 0.0
    for bound in bounds:
        if buckets[bound] >= wanted:
            inside = (wanted - below) / (buckets[bound] - below) if buckets[bound] > below else 1.0
            return lower if bound == float("inf") else lower + (bound - lower) * inside
        below, lower = buckets[bound], bound
    return lower
