"""What a scrape of /metrics costs beside a plain read, and what the metrics cost each request, by turns in one run.

    .venv/bin/python -m benchmarks.metrics [--turns 300]

The scrape asks a whole server over HTTP, after requests of every kind. The second part sends reads through the
application in this process, counting into files as in production, with the metrics and without: then the middleware is
left out, and no counter moves. That is told in processor time of the thread, which other work does not disturb.
"""

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import nullcontext
from functools import partial
from typing import Any
from unittest.mock import patch

from benchmarks.api import scratch_server

WARM_UP = 20


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=300)
    wanted = parser.parse_args()
    os.environ["HEALTHCARE_LOG_LEVEL"] = "ERROR"
    with scratch_server() as (server, _), tempfile.TemporaryDirectory(prefix="metrics-") as folder:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder  # before anything imports prometheus_client
        import django

        django.setup()
        token, address = patient_of()
        scrape(server, token, address, wanted.turns)
        request(token, address, wanted.turns)


def patient_of() -> tuple[str, str]:
    """A token, and the address of a patient that it may read."""
    from django.test import Client

    from benchmarks.people import patient
    from healthrecords.accounts.models import ApiToken, Role

    _, token = ApiToken.issue("benchmark", Role.objects.get(name="integrator"), [], 1)
    made = Client(SERVER_NAME="127.0.0.1").post(
        "/fhir/Patient", patient(1), content_type="application/fhir+json", headers=bearer(token)
    )
    return token, f"/fhir/Patient/{made.json()['id']}"


def scrape(server: str, token: str, address: str, turns: int) -> None:
    """Milliseconds and bytes of a scrape beside a read of one patient."""
    import requests
    from django.conf import settings

    with requests.Session() as session:

        def get(path: str, key: str) -> bytes:
            answer = session.get(f"{server}{path}", headers=bearer(key), timeout=30)
            answer.raise_for_status()
            return answer.content

        for path in (address, "/fhir/Patient", "/fhir/metadata", "/health", "/metrics"):
            get(path, settings.METRICS_TOKEN if path == "/metrics" else token)
        ways = {"scrape": lambda: get("/metrics", settings.METRICS_TOKEN), "read": lambda: get(address, token)}
        spent, size = by_turns(ways, turns), len(get("/metrics", settings.METRICS_TOKEN))
    (middle, slow), (read, _) = spent["scrape"], spent["read"]
    print(
        f"a scrape: {middle:.1f} ms at the median, {slow:.1f} at the 95th percentile, {size / 1024:.0f} KiB; "
        f"a read of a patient {read:.1f} ms: {middle / read:.1f} times"
    )


def request(token: str, address: str, turns: int) -> None:
    """Milliseconds of processor time of a read with the metrics and without."""
    from django.conf import settings
    from django.test import Client
    from prometheus_client import Counter

    whole = list(settings.MIDDLEWARE)
    clients = {}
    for way, middleware in (("with", whole), ("without", whole[1:])):
        clients[way] = Client(SERVER_NAME="127.0.0.1")
        settings.MIDDLEWARE = middleware
        clients[way].handler.load_middleware()
    if "RequestMetrics" not in whole[0]:
        raise SystemExit("The first middleware is not the metrics' any more.")
    still = patch.object(Counter, "inc", lambda *_, **__: None)

    def read(way: str) -> None:
        with still if way == "without" else nullcontext():
            if clients[way].get(address, headers=bearer(token)).status_code != 200:
                raise SystemExit("A read was refused.")

    ways = {way: partial(read, way) for way in clients}
    spent = by_turns(ways, 2 * turns, clock=time.thread_time)
    (counted, _), (plain, _) = spent["with"], spent["without"]
    print(
        f"a read: {counted:.3f} ms of processor time with metrics, {plain:.3f} without: "
        f"{(counted - plain) * 1000:.0f} µs more, {counted / plain:.3f} times"
    )


def by_turns(
    ways: dict[str, Callable[[], Any]], turns: int, clock: Callable[[], float] = time.perf_counter
) -> dict[str, tuple[float, float]]:
    """Milliseconds of each way, the median and the 95th percentile, the ways one after the other in each turn."""
    spent: dict[str, list[float]] = {way: [] for way in ways}
    for turn in range(WARM_UP + turns):
        for way, act in ways.items():
            begun = clock()
            act()
            if turn >= WARM_UP:
                spent[way].append((clock() - begun) * 1000)
    return {way: (statistics.median(times), statistics.quantiles(times, n=20)[-1]) for way, times in spent.items()}


def bearer(token: str) -> dict[str, str]:
    """The header that carries a token."""
    return {"Authorization": f"Bearer {token}"}


if __name__ == "__main__":
    main()
