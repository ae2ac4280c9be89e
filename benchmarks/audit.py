"""What the audit trail costs: a row for each read, sealing, and verifying, each beside something plain in the same run.

    .venv/bin/python -m benchmarks.audit [--events 1000000] [--reads 400] [--output FILE]

Starts a server of its own on a throwaway directory. Reads go through the whole stack of this process, turn by turn with
the row and with a sink that writes none. Verifying stands beside a plain COPY of the same rows with one SHA-256 each.
"""

import argparse
import os
import time
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.api import scratch_server

BATCH = 1000  # facts of one statement while the trail is filled


def main() -> None:
    """Measure and print, or write to a file."""
    parser = argparse.ArgumentParser(description="Measures the audit trail.")
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--reads", type=int, default=400)
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    os.environ["HEALTHCARE_LOG_LEVEL"] = "ERROR"
    with scratch_server():
        import django

        django.setup()
        lines = [*reads(options.reads), *sealing(10_000), *verifying(options.events)]
    text = "\n".join(lines) + "\n"
    options.output.write_text(text) if options.output else print(text, end="")


def reads(rounds: int) -> list[str]:
    """Milliseconds of a read with its row and without, turn by turn."""
    from healthrecords import trail

    read = _reader()
    real = trail._sink()
    taken: dict[bool, list[float]] = {True: [], False: []}
    for turn in range(rounds + 20):
        for on in (turn % 2 == 0, turn % 2 == 1):
            trail._sink = (lambda: real) if on else (lambda: _nothing)  # type: ignore[assignment]
            begun = time.perf_counter()
            read()
            if turn >= 20:
                taken[on].append((time.perf_counter() - begun) * 1000)
    trail._sink = lambda: real  # type: ignore[assignment]
    on, off = median(taken[True]), median(taken[False])
    return [f"* a read: {on:.2f} ms with its row, {off:.2f} ms without; the row is {on / off - 1:.0%} more"]


def sealing(count: int) -> list[str]:
    """Seconds to seal so many events, as the worker does it each minute."""
    from compliance.audit import sealing as seals

    seals.seal()
    _fill(count)
    made: list[Any] = []
    seconds = _seconds(lambda: made.extend(seals.seal()))
    sealed = sum(each.count for each in made)  # the server's own worker may have taken a batch
    return [f"* sealing {sealed:,} events: {seconds:.2f} s, {sealed / seconds:,.0f} a second"]


def verifying(count: int) -> list[str]:
    """Events verified a second, beside a plain reading of the same rows."""
    from compliance.audit.verification import Verification

    lines = sealing(count)
    plain = _seconds(_plain)
    found: list[Any] = []
    verified = _seconds(lambda: found.append(Verification().run()))
    if found[0].findings or found[0].events < count:
        raise SystemExit(f"The trail does not verify: {found[0].findings[:3]}")
    events = found[0].events
    figures = f"{verified:.1f} s, {events / verified:,.0f} a second"
    beside = f"plain COPY with a SHA-256 a row {plain:.1f} s, ratio {verified / plain:.1f}"
    return [*lines, f"* verifying {events:,} events: {figures}; {beside}"]


def _reader() -> Callable[[], None]:
    """A function that reads one patient by the API, in this process."""
    from django.test import Client

    from benchmarks.people import patient
    from healthrecords.accounts.models import ApiToken, Role

    token = ApiToken.issue("benchmark", Role.objects.get(name="integrator"), [], 1)[1]
    headers = {"Authorization": f"Bearer {token}"}
    client = Client(SERVER_NAME="127.0.0.1")
    made = client.post("/fhir/Patient", patient(1), content_type="application/fhir+json", headers=headers)
    address = f"/fhir/Patient/{made.json()['id']}"

    def read() -> None:
        if client.get(address, headers=headers).status_code != 200:
            raise SystemExit("The read failed.")

    return read


def _nothing(entry: Any, using: str) -> None:
    """A sink that writes no row."""


def _fill(count: int) -> None:
    """Add so many events as requests do, a thousand at a time; an open transaction keeps them from being sealed."""
    from django.db import connections, transaction

    from compliance.phi_access.ledger import write
    from healthrecords.access.request import SYSTEM, AccessRequest
    from healthrecords.trail import Entry, Fact

    asked = AccessRequest(SYSTEM, "read", "Patient", "TREAT", "192.0.2.7", "benchmark", "fhir/Patient/<logical_id>")
    with transaction.atomic(using="trail"), connections["trail"].cursor() as cursor:
        cursor.execute("SELECT pg_current_xact_id()")
        for done in range(0, count, BATCH):
            facts = [
                Fact("read", patient=f"p{number}", resources=(f"Patient/p{number}",), versions=(1,))
                for number in range(done, min(done + BATCH, count))
            ]
            write(Entry(asked, facts), "default")


def _plain() -> None:
    from django.db import connections

    from compliance.audit.schema import EVENTS

    with (
        connections["sealer"].cursor() as cursor,
        cursor.copy(f"COPY (SELECT * FROM audit.{EVENTS}) TO STDOUT") as copy,  # noqa: S608
    ):
        for row in copy:
            sha256(row).digest()


def _seconds(act: Callable[[], Any]) -> float:
    begun = time.perf_counter()
    act()
    return time.perf_counter() - begun


if __name__ == "__main__":
    main()
