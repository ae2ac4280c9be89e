"""Servers that are not there, and a Prometheus that is."""

import json
import shutil
import socket
import subprocess
import time
import urllib.request
from contextlib import contextmanager
from dataclasses import replace

import pytest
from django.db import connections

from documents import storage
from ops.health import login, registry, smoke, stores


def free_port():
    """A port at which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


@pytest.fixture(autouse=True)
def unhurried(monkeypatch):
    """Give checks that answer all the time that a busy machine needs; what is stopped refuses at once anyway."""
    slow = {name: replace(each, limit=60 + each.limit) for name, each in registry.checks().items()}
    monkeypatch.setattr(registry, "checks", lambda: slow)
    monkeypatch.setattr(login, "PATIENCE", 30)
    monkeypatch.setattr(stores, "PATIENCE", 30.0)
    monkeypatch.setattr(smoke, "SECONDS", 60.0)
    stores._client.cache_clear()
    yield
    stores._client.cache_clear()


@pytest.fixture
def stop(db, settings, monkeypatch, request):
    """Stop a server, as the checks see it: its address leads to a port of nobody."""

    def stop(name):
        match name:
            case "PostgreSQL":
                monkeypatch.setitem(connections.settings["default"], "PORT", str(free_port()))
            case "cache":
                address = f"redis://:nobody-listens@127.0.0.1:{free_port()}"
                monkeypatch.setitem(settings.CACHES["default"], "LOCATION", f"{address}/0")
                settings.CELERY_BROKER_URL = f"{address}/1"
            case "store":
                settings.S3_ENDPOINT = f"http://127.0.0.1:{free_port()}"
                storage.client.cache_clear()
                request.addfinalizer(storage.client.cache_clear)
            case "Prometheus":
                settings.PROMETHEUS_URL = f"http://127.0.0.1:{free_port()}"

    return stop


@pytest.fixture(scope="session")
def prometheus(tmp_path_factory):
    """The address of a Prometheus with a rule that watches itself."""
    folder = tmp_path_factory.mktemp("prometheus")
    folder.joinpath("rules.yml").write_text(
        "groups: [{name: ours, rules: [{alert: Watchdog, expr: vector(1), annotations: {summary: alive}}]}]"
    )
    with watching(folder, free_port()) as url:
        yield url


@contextmanager
def watching(folder, port, *targets):
    """A Prometheus on a port that scrapes itself and the targets each second."""
    jobs = [{"job_name": "prometheus", "static_configs": [{"targets": [f"127.0.0.1:{port}", *targets]}]}]
    config = {"global": {"scrape_interval": "1s", "scrape_timeout": "1s"}, "scrape_configs": jobs}
    rules = {"rule_files": [str(folder / "rules.yml")]} if folder.joinpath("rules.yml").exists() else {}
    folder.joinpath("prometheus.yml").write_text(json.dumps(config | rules))
    process = subprocess.Popen(
        [
            shutil.which("prometheus"),
            f"--config.file={folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={folder / 'data'}",
            f"--web.listen-address=127.0.0.1:{port}",
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _until(lambda: _targets(port) and all(each["health"] != "unknown" for each in _targets(port)))
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


def _targets(port):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/targets?state=active", timeout=5) as answer:
            return json.load(answer)["data"]["activeTargets"]
    except OSError:
        return []


def _until(happened):
    for _ in range(1800):
        if happened():
            return
        time.sleep(0.05)
    raise AssertionError("Prometheus does not scrape")
