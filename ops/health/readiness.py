"""Fills the readiness socket: asks database, cache, store, worker and virus scanner at once, each with its limit."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from functools import cache
from typing import Any

from django.conf import settings
from django.core.cache import caches
from django.db import connections

from documents.scanning import clamd
from healthrecords import objectstore
from healthrecords.celery import app

LIMIT = 2.0  # seconds for all parts together

_asking = ThreadPoolExecutor(max_workers=8, thread_name_prefix="readiness")


def report() -> dict[str, dict[str, Any]]:
    """The state of each part: `ok`, the milliseconds that it took, and what is wrong in a word or two.

    What serves on without a part is told by its `optional`.
    """
    optional = {"scanner": _scanner} if settings.CLAMAV else {}
    started = {name: _asking.submit(_timed, check) for name, check in (PARTS | optional).items()}
    wait(started.values(), timeout=LIMIT)
    late = {"ok": False, "problem": f"no answer within {LIMIT:g} s"}
    told = {name: future.result() if future.done() else late for name, future in started.items()}
    return {name: {**part, "optional": True} if name in optional else part for name, part in told.items()}


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


def _scanner() -> None:
    clamd.reach(settings.CLAMAV)


PARTS: dict[str, Callable[[], None]] = {
    "database": _database,
    "cache": _cache,
    "store": _store,
    "worker": _worker,
}
