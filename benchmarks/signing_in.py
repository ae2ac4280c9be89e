"""What it costs the API to find out who asks: reads with the check of the token and without it, by turns in one run.

    .venv/bin/python -m benchmarks.signing_in [--reads 500]

The requests go through the whole application in this process; without the check, the same actor is simply given.
"""

import argparse
import os
import statistics
import time
from contextlib import nullcontext
from typing import Any
from unittest.mock import patch

from benchmarks.api import scratch_server


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reads", type=int, default=500)
    wanted = parser.parse_args()
    os.environ["HEALTHCARE_LOG_LEVEL"] = "ERROR"
    with scratch_server():
        import django

        django.setup()
        measure(wanted.reads)


def measure(reads: int) -> None:
    from django.test import Client

    from benchmarks.people import patient
    from healthrecords.access.request import actor_of_token
    from healthrecords.accounts.authentication import TokenAuthentication
    from healthrecords.accounts.models import ApiToken, Role

    row, token = ApiToken.issue("benchmark", Role.objects.get(name="integrator"), [], 1)
    sent: Any = {"headers": {"Authorization": f"Bearer {token}"}}
    client = Client(SERVER_NAME="127.0.0.1")
    made = client.post("/fhir/Patient", patient(1), content_type="application/fhir+json", **sent)
    address, given = f"/fhir/Patient/{made.json()['id']}", (actor_of_token(row), row)
    spent: dict[str, list[float]] = {"with": [], "without": []}
    for number in range(2 * reads):
        way = ("with", "without")[number % 2]
        skipped = patch.object(TokenAuthentication, "authenticate", lambda *_: given)
        with skipped if way == "without" else nullcontext():
            begun = time.perf_counter()
            status = client.get(address, **sent).status_code
            spent[way].append((time.perf_counter() - begun) * 1000)
        if status != 200:
            raise SystemExit(f"A read was answered with {status}.")
    without, checked = (statistics.median(spent[way]) for way in ("without", "with"))
    print(
        f"a read: {checked:.2f} ms with the check of its token, {without:.2f} ms without: {checked / without:.2f} times"
    )


if __name__ == "__main__":
    main()
