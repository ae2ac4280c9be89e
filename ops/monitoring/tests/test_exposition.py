"""A store that is away costs the figures of those who ask it, and nobody else's."""

import pytest
from prometheus_client.core import GaugeMetricFamily

from ops.monitoring import exposition
from ops.monitoring.tests.reading import families, value


class Good:
    """Tells one figure."""

    def collect(self):
        yield GaugeMetricFamily("trial_good", "", value=1)


class Away:
    """Asks a store that is away."""

    def collect(self):
        raise ConnectionError("redis://:password@127.0.0.1")
        yield  # makes it a generator


@pytest.fixture
def collectors(db, settings):
    """Let these be the only collectors."""

    def collectors(*kinds):
        settings.METRICS_COLLECTORS = [f"{kind.__module__}.{kind.__name__}" for kind in kinds]
        exposition._collectors.cache_clear()

    yield collectors
    exposition._collectors.cache_clear()


def test_a_collector_whose_store_is_away_takes_nobody_else_along(collectors):
    collectors(Away, Good)
    assert value("trial_good") == 1
    assert "http_requests_total" in families()


def test_after_one_that_waited_too_long_no_other_is_asked(collectors, monkeypatch):
    monkeypatch.setattr(exposition, "PATIENCE", -1.0)
    collectors(Good)
    found = families()
    assert "trial_good" not in found
    assert "http_requests_total" in found
