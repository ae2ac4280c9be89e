"""Fills the readiness socket: asks database, cache, store and worker at the same time, each with its own limit."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from functools import cache
from typing import Any

from django.conf import settings
from django.core.cache import caches
from django.db import connections

from healthrecords import objectstore
from healthrecords.celery import app

LIMIT = 2.0  # seconds for all parts together

_asking = ThreadPoolExecutor(max_workers=8, thread_name_prefix="readiness")


def report() -> dict[str, dict[str, Any]]:
    """The state of each part: `ok`, the milliseconds that it took, and what is wrong in a word or two."""
    started = {name: _asking.submit(_timed, check) for name, check in PARTS.items()}
    wait(started.values(), timeout=LIMIT)
    late = {"ok": False, "problem": f"no answer within {LIMIT:g} s"}
    return {name: future.result() if future.done() else late for name, future in started.items()}


def _timed(check: Callable[[], None]) -> dict[str, Any]:
    begun = time.monotonic()
    try:
        check()
    except Exception as fault:  # whatever it is, the part is not ready; its text may hold addresses
        return {"ok": False, "problem": type(fault).__name__}
    return {"ok": True, "ms": round(1000 * (time.monotonic() - begun), 1)}


def _database() -> None:
    connection = connections["default"]
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    finally:
        connection.close()


def _cache() -> None:
    caches["default"].get("readiness")


@cache
def _store_client() -> Any:
    return objectstore.connect(objectstore.application(), connecting=1, reading=1)


def _store() -> None:
    _store_client().head_bucket(Bucket=settings.S3_BUCKET)


class WorkerSilent(Exception):
    """No worker has answered lately."""


def _worker() -> None:
    if not app.control.ping(timeout=1.0, limit=1):
        raise WorkerSilent


PARTS: dict[str, Callable[[], None]] = {
    "database": _database,
    "cache": _cache,
    "store": _store,
    "worker": _worker,
}
