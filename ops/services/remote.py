"""The services of a compose deployment, as far as they can be asked over the network: who answers, and since when."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from healthrecords.celery import app
from ops.health import registry
from ops.health.login import connected
from ops.health.stores import cache_info
from ops.schedule import status

from .local import Service

ASKED = {"web": "web", "minio": "store"}  # service → the check that asks it


def services() -> list[Service]:
    """Each service with what it tells about itself; one that does not answer is `silent`."""
    told = {each.check: each.state for each in registry.run(registry.checks()[name] for name in ASKED.values())}
    asked = [Service(name, "running" if told[check] == "good" else "silent") for name, check in ASKED.items()]
    return [_asked("postgres", _postgres), _asked("redis", _redis), *asked, *_workers(), *_beat()]


def _asked(name: str, ask: Callable[[], Service]) -> Service:
    try:
        return ask()
    except Exception:  # whatever it is, the service does not answer
        return Service(name, "silent")


def _postgres() -> Service:
    with connected() as connection:
        row: Any = connection.execute("SELECT pg_postmaster_start_time()").fetchone()
    return Service("postgres", "running", since=row[0])


def _redis() -> Service:
    found = cache_info()
    return Service("redis", "running", None, _ago(found["uptime_in_seconds"]), 0, int(found["used_memory_rss"]))


def _workers() -> list[Service]:
    """What each worker says about itself; its memory is that of its main process at its highest."""
    try:
        found: dict[str, Any] = app.control.inspect(timeout=2.0).stats() or {}
    except OSError:
        found = {}
    told = [
        Service(name, "running", each["pid"], _ago(each["uptime"]), 0, each["rusage"]["maxrss"] * 1024)
        for name, each in sorted(found.items())
    ]
    return told or [Service("worker", "silent")]


def _beat() -> list[Service]:
    try:
        found = next(each for each in status.processes(timezone.now()) if each["process"] == "beat")
    except Exception:  # the database, which keeps its signs of life, is down
        return [Service("beat", "silent")]
    return [Service("beat", "silent" if found["silent"] else "running")]


def _ago(seconds: float) -> datetime:
    return timezone.now() - timedelta(seconds=float(seconds))
