"""Requests a second and latency of the API with 10,000 patients, beside a bare Django view in the same run.

    .venv/bin/python -m benchmarks.api [--patients 10000] [--seconds 10] [--connections 8] [--output FILE]

Starts a server of its own on a throwaway directory. Needs wrk (Debian package). Every request of the API commits its
row in the access log, as always. The bare view is measured before and after each scenario; ratios are against the
mean of the two, since machines are shared and noisy.
"""

import argparse
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

CHECKOUT = Path(__file__).resolve().parents[1]


@dataclass
class Figures:
    """What wrk measured: requests a second, and milliseconds at three percentiles."""

    rate: float
    p50: float
    p95: float
    p99: float
    errors: int


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def scratch_server() -> Iterator[tuple[str, str]]:
    """A server on a throwaway directory, to which this process's settings point; yields its address and directory."""
    with tempfile.TemporaryDirectory(prefix="healthrecords-bench-") as folder:
        Path(folder).chmod(0o755)
        with _server(f"{folder}/data") as url:
            os.environ["HEALTHCARE_DATA_DIR"] = f"{folder}/data"
            os.environ.setdefault("DJANGO_SETTINGS_MODULE", "healthrecords.settings")
            yield url, f"{folder}/data"


@contextmanager
def _server(folder: str) -> Iterator[str]:
    """A server as `make run` starts it, without demo data; yields its address."""
    port = free_port()
    variables = {**os.environ, "HEALTHCARE_DATA_DIR": folder, "HEALTHCARE_PORT": str(port), "HEALTHCARE_DEMO": "0"}
    run = [sys.executable, "-m", "healthrecords.embedded", "run"]
    process = subprocess.Popen(run, cwd=CHECKOUT, env=variables, stdout=subprocess.PIPE, text=True)
    try:
        for line in process.stdout or ():
            if line.startswith("Ready: "):
                break
        yield f"http://127.0.0.1:{port}"
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


@contextmanager
def bare_view(folder: str) -> Iterator[str]:
    """The yardstick under the same gunicorn settings."""
    port = free_port()
    variables = {**os.environ, "HEALTHCARE_DATA_DIR": folder, "HEALTHCARE_BIND": f"127.0.0.1:{port}"}
    serve = [
        str(Path(sys.executable).parent / "gunicorn"),
        "-c",
        "deploy/gunicorn.conf.py",
        "benchmarks.bare:application",
    ]
    process = subprocess.Popen(serve, cwd=CHECKOUT, env=variables, stderr=subprocess.DEVNULL)
    try:
        time.sleep(3)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(30)


def load_patients(count: int) -> tuple[list[tuple[str, str, str]], str]:
    """Write `count` patients; return (logical id, record number, family name) of each, and a token."""
    import django

    django.setup()

    from benchmarks.people import immunizations, patients
    from healthrecords.accounts.models import ApiToken, Role

    bodies = patients(count)
    versions = _written(bodies)
    _written(immunizations([version.logical_id for version in versions], 5))
    known = [
        (version.logical_id, body["identifier"][0]["value"], body["name"][0]["family"])
        for version, body in zip(versions, bodies, strict=True)
    ]
    return known, ApiToken.issue("benchmark", Role.objects.get(name="integrator"), [], 1)[1]


def _written(bodies: list[dict[str, Any]]) -> list[Any]:
    """Store bodies of one type, 500 in a transaction; return their versions."""
    from django.db import transaction

    from healthrecords.access.request import SYSTEM
    from healthrecords.fhir import store
    from healthrecords.fhir.resource import registry

    resource, versions = registry()[bodies[0]["resourceType"]], []
    for start in range(0, len(bodies), 500):
        changes = [store.Change(store.draft_of(resource, body)) for body in bodies[start : start + 500]]
        with transaction.atomic():
            versions += store.write(resource, changes, SYSTEM)
    return versions


def prepare_bare(known: list[tuple[str, str, str]]) -> None:
    """Give the yardstick its tables, with the very bodies that the API serves."""
    from benchmarks.bare import TABLES
    from healthrecords.fhir.resource import registry

    rows = registry()["Patient"].model.objects.select_related("current").iterator()
    with psycopg.connect(os.environ["HEALTHCARE_DATABASE_OWNER_URL"], autocommit=True) as connection:
        connection.execute(TABLES)
        with connection.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO bench_record VALUES (%s, %s)", [(row.logical_id, row.current.content) for row in rows]
            )
        connection.execute("ANALYZE")


def measure(url: str, requests: list[str], token: str, seconds: int, connections: int) -> Figures:
    """Run wrk over the request lines."""
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.write("\n".join(requests))
        file.flush()
        wrk = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s", str(CHECKOUT / "benchmarks/requests.lua"), url]
        variables = {**os.environ, "REQUESTS": file.name, "TOKEN": token}
        output = subprocess.run(wrk, env=variables, capture_output=True, text=True, check=True).stdout
    found = next(line for line in output.splitlines() if line.startswith("RESULT ")).split()
    count, microseconds, errors = int(found[1]), int(found[2]), int(found[3])
    p50, p95, p99 = (float(each) for each in found[4:])
    return Figures(count / microseconds * 1e6, p50, p95, p99, errors)


def scenarios(known: list[tuple[str, str, str]]) -> dict[str, list[str]]:
    """The request lines of each scenario."""
    from benchmarks.people import patients
    from healthrecords.jsontext import dump_json

    some = random.sample(known, min(2000, len(known)))
    return {
        "read by id": [f"GET\t/fhir/Patient/{each[0]}" for each in some],
        "search by identifier": [f"GET\t/fhir/Patient?identifier=urn:example:mrn|{each[1]}" for each in some],
        "search by name": [f"GET\t/fhir/Patient?name={each[2]}&_count=10" for each in some],
        "create": [f"POST\t/fhir/Patient\t{dump_json(body).decode()}" for body in patients(2000, first=10_000_000)],
        "immunizations of a patient": [f"GET\t/fhir/Immunization?patient={each[0]}" for each in some],
        "validate": [f"POST\t/fhir/Patient/$validate\t{dump_json(body).decode()}" for body in patients(500)],
        "transaction of 50 immunizations": [f"POST\t/fhir\t{_transaction(known, at)}" for at in range(100)],
    }


def _transaction(known: list[tuple[str, str, str]], at: int) -> str:
    """A Bundle of 50 creates."""
    from benchmarks.people import immunization
    from healthrecords.jsontext import dump_json

    entries = [
        {"resource": immunization(n, known[n % len(known)][0]), "request": {"method": "POST", "url": "Immunization"}}
        for n in range(at * 50, at * 50 + 50)
    ]
    return dump_json({"resourceType": "Bundle", "type": "transaction", "entry": entries}).decode()


def table(results: list[tuple[str, Figures, Figures, Figures]]) -> str:
    lines = [
        "| scenario | requests/s | p50 ms | p95 ms | p99 ms | errors | bare view requests/s | ratio |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for name, before, figures, after in results:
        bare = (before.rate + after.rate) / 2
        lines.append(
            f"| {name} | {figures.rate:.0f} | {figures.p50:.1f} | {figures.p95:.1f} | {figures.p99:.1f} "
            f"| {figures.errors} | {bare:.0f} | {figures.rate / bare:.2f} |"
        )
    return "\n".join(lines)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--patients", type=int, default=10_000)
    options.add_argument("--seconds", type=int, default=10)
    options.add_argument("--connections", type=int, default=8)
    options.add_argument("--only", default="", help="a part of the names of the scenarios to run")
    options.add_argument("--output", type=Path)
    chosen = options.parse_args()
    with scratch_server() as (url, folder):
        known, token = load_patients(chosen.patients)
        prepare_bare(known)
        plain = [f"GET\t/bare/{each[0]}" for each in random.sample(known, min(2000, len(known)))]
        results = []
        with bare_view(folder) as bare_url:
            for name, lines in scenarios(known).items():
                if chosen.only not in name:
                    continue
                before = measure(bare_url, plain, "", chosen.seconds, chosen.connections)
                figures = measure(url, lines, token, chosen.seconds, chosen.connections)
                after = measure(bare_url, plain, "", chosen.seconds, chosen.connections)
                results.append((name, before, figures, after))
                print(name, figures, before.rate, after.rate, file=sys.stderr)
    text = table(results)
    print(text)
    if chosen.output:
        chosen.output.write_text(text + "\n")


if __name__ == "__main__":
    main()
