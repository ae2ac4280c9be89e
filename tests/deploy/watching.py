"""Prometheus with our own list of targets, and Debian's exporters, around an application that runs."""

import os
import re
import socket
import subprocess
import time
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
import yaml
from urllib3.exceptions import InsecureRequestWarning

from healthrecords.embedded.datadir import CHECKOUT
from tests.cast import PATIENT

PROGRAMS = (
    "prometheus",
    "prometheus-node-exporter",
    "prometheus-postgres-exporter",
    "prometheus-redis-exporter",
    "haproxy",
)


@dataclass(frozen=True)
class Prometheus:
    """A running Prometheus."""

    address: str

    def ask(self, expression: str) -> list[dict[str, Any]]:
        """The series that an expression gives now, without those that are no number."""
        answer = requests.get(f"{self.address}/api/v1/query", {"query": expression}, timeout=10).json()
        assert answer["status"] == "success", (expression, answer)
        return [series for series in answer["data"]["result"] if series["value"][1] not in ("NaN", "+Inf", "-Inf")]

    def down(self) -> list[str]:
        """The jobs that did not answer, or were not asked yet."""
        active = requests.get(f"{self.address}/api/v1/targets", timeout=10).json()["data"]["activeTargets"]
        return [f"{each['labels']['job']}: {each['lastError']}" for each in active if each["health"] != "up"]


@contextmanager
def watched(folder: Path, application: str, haproxy: str) -> Iterator[Prometheus]:
    """Start the exporters for the stores of the settings, then Prometheus, which asks each target every two seconds.

    `application` and `haproxy` are HOST:PORT. Ends when all is stopped.
    """
    from django.conf import settings

    database, cache = settings.DATABASES["monitor"], urlsplit(settings.CACHES["default"]["LOCATION"])
    ports = {name: free_port() for name in ("prometheus", "node", "postgres", "redis")}
    with ExitStack() as stack:

        def start(name: str, *arguments: str, **variables: str) -> None:
            stack.enter_context(running(folder / f"{name}.log", name, *arguments, **variables))

        start("prometheus-node-exporter", f"--web.listen-address=127.0.0.1:{ports['node']}")
        start(
            "prometheus-postgres-exporter",
            f"--web.listen-address=127.0.0.1:{ports['postgres']}",
            DATA_SOURCE_URI=f"{database['HOST']}:{database['PORT']}/{database['NAME']}?sslmode=disable",
            DATA_SOURCE_USER=database["USER"],
            DATA_SOURCE_PASS=database["PASSWORD"],
        )
        start(
            "prometheus-redis-exporter",
            f"-web.listen-address=127.0.0.1:{ports['redis']}",
            f"-redis.addr=redis://{cache.hostname}:{cache.port}",
            REDIS_PASSWORD=cache.password or "",
        )
        local = {name: f"127.0.0.1:{port}" for name, port in ports.items()}
        targets = local | {"app": application, "haproxy": haproxy}
        file = folder / "prometheus.yml"
        file.write_text(yaml.safe_dump(_asking(targets, settings.METRICS_TOKEN)))
        start(
            "prometheus",
            f"--config.file={file}",
            f"--storage.tsdb.path={folder / 'tsdb'}",
            f"--web.listen-address={local['prometheus']}",
        )
        prometheus = Prometheus(f"http://{local['prometheus']}")
        until(lambda: _answers(prometheus) and not prometheus.down(), lambda: str(prometheus.down()))
        yield prometheus


def _asking(targets: dict[str, str], token: str) -> dict[str, Any]:
    """Our configuration with these targets, by the hosts of the compose file; without Alertmanager."""
    ours = yaml.safe_load((CHECKOUT / "deploy/prometheus/prometheus.yml").read_text())
    jobs = []
    for job in ours["scrape_configs"]:
        host = job["static_configs"][0]["targets"][0].partition(":")[0]
        name = "prometheus" if host == "127.0.0.1" else host.removesuffix("_exporter")
        if name in targets:
            credentials = {"authorization": {"type": "Bearer", "credentials": token}} if "authorization" in job else {}
            jobs.append({**job, **credentials, "static_configs": [{"targets": [targets[name]]}]})
    often = {"scrape_interval": "2s", "scrape_timeout": "2s"}
    return {"global": often, "scrape_configs": jobs}


def load(server: str, proxy: str, token: str) -> None:
    """A little of everything: reads, writes, invalid and denied ones, a failed sign-in, a visit through HAProxy."""
    fhir = f"{server}/fhir/Patient"
    sent = {"Authorization": f"Bearer {token}", "Content-Type": "application/fhir+json"}
    for body in (PATIENT, {"resourceType": "Patient", "gender": "?"}):
        requests.post(fhir, json=body, headers=sent, timeout=10)
    for address, headers in ((fhir, sent), (fhir, {}), (f"{fhir}/nobody", sent), (f"{server}/admin/", {})):
        requests.get(address, headers=headers, timeout=10)
    with requests.Session() as browser:
        page = browser.get(f"{server}/accounts/login/", timeout=10).text
        (secret,) = re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', page)[:1]
        form = {"login": "nobody@example.org", "password": "wrong", "csrfmiddlewaretoken": secret}
        browser.post(f"{server}/accounts/login/", form, timeout=10)
    with warnings.catch_warnings(action="ignore", category=InsecureRequestWarning):
        requests.get(f"{proxy}/health", verify=False, timeout=10)  # noqa: S501


@contextmanager
def running(log: Path, *command: str, **variables: str) -> Iterator[None]:
    """Run a program until the end of the block."""
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out, env={**os.environ, **variables})
        try:
            yield
        finally:
            process.terminate()
            process.wait(30)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(condition: Any, told: Any = str, patience: float = 120.0) -> None:
    """Wait until the condition holds; AssertionError with what is told after `patience` seconds."""
    deadline = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < deadline, told()
        time.sleep(0.1)


def _answers(prometheus: Prometheus) -> bool:
    try:
        return requests.get(f"{prometheus.address}/-/ready", timeout=2).ok
    except requests.ConnectionError:
        return False
