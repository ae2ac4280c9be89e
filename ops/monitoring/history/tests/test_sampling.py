"""A minute's sample: what it makes of two scrapes, of a restart, of a server that is silent."""

from datetime import UTC, datetime, timedelta

import pytest

from ops.monitoring.history import figures, sampling, thinning
from ops.monitoring.history.models import Sample
from ops.monitoring.history.reading import Reading, quantile

NOW = datetime(2026, 3, 10, 12, 0, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def exposition(requests=0, errors=0, quick=0, slow=0, **gauges):
    """What /metrics says after so many requests, of which `quick` took up to 0.1 s and `slow` up to 0.3 s."""
    lines = [
        f'http_requests_total{{method="GET",part="fhir",status="200"}} {requests - errors}',
        f'http_requests_total{{method="POST",part="fhir",status="503"}} {errors}',
        f'http_requests_total{{method="GET",part="probe",status="503"}} {7 * requests}',
        f'http_request_duration_seconds_bucket{{le="0.1",part="fhir"}} {quick}',
        f'http_request_duration_seconds_bucket{{le="0.3",part="fhir"}} {quick + slow}',
        f'http_request_duration_seconds_bucket{{le="+Inf",part="fhir"}} {quick + slow}',
        f'http_request_duration_seconds_bucket{{le="+Inf",part="probe"}} {7 * requests}',
        f'machine_cpu_seconds_total{{mode="busy"}} {requests / 2}',
        f'machine_cpu_seconds_total{{mode="idle"}} {requests}',
        *(f"{name} {value}" for name, value in gauges.items()),
    ]
    return Reading.of("\n".join(lines) + "\n")


def sampled(*readings):
    """The figures of the last of these readings, a minute apart."""
    start = NOW - MINUTE * len(readings)
    return [sampling.keep(reading, start + MINUTE * number).figures for number, reading in enumerate(readings)][-1]


def test_rates_and_latency_are_of_the_minute_alone(db):
    found = sampled(exposition(1000, 10, 900, 100), exposition(1060, 13, 919, 101))
    assert found["requests"] == pytest.approx(60)
    assert found["errors"] == pytest.approx(3)
    assert found["cpu"] == pytest.approx(100 / 3)
    assert found["p95"] == pytest.approx(100)  # 19 of the minute's 20 requests took up to 0.1 s


def test_a_server_that_began_to_count_again_counts_from_zero(db):
    found = sampled(exposition(1000, 10, 900, 100), exposition(30, 1, 30, 0))
    assert found["requests"] == pytest.approx(30)
    assert found["errors"] == pytest.approx(1)
    assert 0 < found["p95"] <= 100


def test_the_first_minute_and_the_first_after_a_pause_have_levels_but_no_rates(db):
    first = sampling.keep(exposition(10, quick=10, backup_last_age_seconds=7), NOW).figures
    later = sampling.keep(exposition(90, quick=90), NOW + timedelta(minutes=6)).figures
    assert (first["requests"], first["p95"], first["backup"]) == (None, None, 7)
    assert (later["requests"], later["p95"], later["backup"]) == (None, None, None)


def test_a_second_sample_of_a_minute_takes_the_place_of_the_first(db):
    sampling.keep(exposition(60), NOW - MINUTE)
    sampling.keep(exposition(100), NOW)
    sampling.keep(exposition(110), NOW + timedelta(seconds=10))
    assert [row.figures["requests"] for row in Sample.objects.all()] == [None, pytest.approx(50 * 60 / 70)]


def test_the_running_server_is_asked_with_its_token(live_server, settings, integrator):
    settings.METRICS_ADDRESS = f"{live_server.url}/metrics"
    sampling.take(NOW - MINUTE)
    for _ in range(5):
        integrator.get("Patient")
    kept = sampling.take(NOW)
    assert kept.figures["requests"] >= 5
    assert kept.figures["p95"] > 0
    assert Sample.objects.count() == 2


@pytest.mark.parametrize("fault", ["wrong token", "no server", "no exposition"])
def test_a_silent_server_leaves_a_gap_and_no_error(live_server, settings, fault):
    settings.METRICS_ADDRESS = f"{live_server.url}/metrics"
    if fault == "wrong token":
        settings.METRICS_ADDRESS = f"{live_server.url}/fhir/Patient"
    elif fault == "no server":
        settings.METRICS_ADDRESS = "http://127.0.0.1:9/metrics"
    else:
        settings.METRICS_ADDRESS = f"{live_server.url}/health"
    assert sampling.take(NOW) is None
    assert not Sample.objects.exists()


@pytest.mark.parametrize(
    ("buckets", "share", "found"),
    [
        ({}, 0.5, None),
        ({0.1: 0, float("inf"): 0}, 0.5, None),
        ({0.1: 10, 0.2: 10, float("inf"): 10}, 0.5, 0.05),
        ({0.1: 5, 0.2: 10, float("inf"): 10}, 0.75, 0.15),
        ({0.1: 5, 0.2: 6, float("inf"): 10}, 0.95, 0.2),
    ],
)
def test_a_quantile_is_estimated_as_prometheus_does(buckets, share, found):
    assert quantile(share, buckets) == (found if found is None else pytest.approx(found))


def test_only_series_whose_labels_match_are_counted():
    reading = Reading.of('a_total{status="200"} 5\na_total{status="503"} 2\n')
    assert reading.total("a_total", status="5..") == 2
    assert reading.total("a_total", status="4..") == 0
    assert reading.total("b_total") is None
    assert reading.highest("b") is None


@pytest.fixture
def month(db):
    """A sample every 20 minutes for the last 30 days; one memory figure stands out."""
    known = dict.fromkeys((figure.name for figure in figures.FIGURES), None)
    for number in range(30 * 24 * 3):
        time = NOW.replace(second=0) - number * timedelta(minutes=20)
        memory = 99 if number == 25 * 24 * 3 else 40
        Sample.objects.create(time=time, figures={**known, "requests": number % 3, "memory": memory})


def test_minutes_become_hours_after_a_week_and_keep_means_and_worst(month):
    thinning.thin_out(NOW)
    minutes, hours = Sample.objects.filter(seconds=60), Sample.objects.filter(seconds=3600)
    assert minutes.count() == pytest.approx(7 * 24 * 3, abs=4)
    assert hours.count() == pytest.approx(23 * 24, abs=2)
    assert {round(row.figures["requests"], 3) for row in list(hours)[1:-1]} == {1.0}
    assert [row.figures["memory"] for row in hours if row.figures["memory"] != 40] == [99]
    assert all(row.figures["p95"] is None for row in hours)
    assert thinning.thin_out(NOW) == 0


def test_nothing_is_kept_beyond_400_days(month):
    thinning.thin_out(NOW)
    thinning.thin_out(NOW + timedelta(days=385))
    assert Sample.objects.count() == pytest.approx(15 * 24, abs=2)
    assert thinning.thin_out(NOW + timedelta(days=401)) > 0
    assert not Sample.objects.exists()
