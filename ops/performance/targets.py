"""The runbook's four targets of the database, and what is measured against them."""

import statistics
import threading
import time
from dataclasses import dataclass
from typing import Any

import psycopg
from django.core.management.base import CommandError
from django.db import connections

from . import pools, statements
from .processes import running

POOL, QUERY, THROUGHPUT, LOCK = 80.0, 100.0, 1000.0, 10.0  # percent, ms, transactions a second, ms
_SAMPLES = 20  # of the waits, in a second

_TRANSACTIONS = "SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = current_database()"
_WAITING = (
    "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database() "
    "AND backend_type = 'client backend'"
)


@dataclass(frozen=True)
class Target:
    """One target: what was measured, the limit, and whether it is met (None where it could not be measured)."""

    name: str
    measured: float | None
    unit: str
    limit: str
    met: bool | None
    how: str

    def as_row(self) -> dict[str, Any]:
        """What is shown of it."""
        return {
            "target": self.name, "measured": self.measured, "unit": self.unit, "limit": self.limit, "met": self.met,
            "how": self.how,
        }  # fmt: skip


def measure(seconds: float = 3.0, sessions: int = 0) -> list[Target]:
    """Measure all four over some seconds; with `sessions`, so many commit empty transactions as fast as they can.

    Without that load, throughput is what the server does now, which says little about what it could do.
    """
    load = _Load(sessions)
    with load:
        rate, waiting = _watched(seconds)
    return [_pool(), _query(), _throughput(rate, load), _lock(waiting, rate)]


def _pool() -> Target:
    try:
        used = [100 * pool.use for pool in pools.of(running())]
    except CommandError as fault:
        return Target("connection pool", None, "%", f"< {POOL:g}", None, str(fault))
    percent = round(max(used, default=0.0), 1)
    return Target("connection pool", percent, "%", f"< {POOL:g}", percent < POOL, "the fullest pool of any process now")


def _query() -> Target:
    mean, calls = statements.average()
    how = f"mean of {calls} statements of the application since the statistics began"
    return Target("query response", round(mean, 3), "ms", f"< {QUERY:g}", mean < QUERY, how)


def _throughput(rate: float, load: "_Load") -> Target:
    limit = f"> {THROUGHPUT:g}"
    if load.rates:
        able = sum(load.rates)
        how = f"{len(load.rates)} sessions that commit to the log as fast as they can"
        return Target("transactions", round(able), "a second", limit, able > THROUGHPUT, how)
    return Target(
        "transactions", round(rate, 1), "a second", limit, None, "what is asked now; --load measures what it can"
    )


def _lock(waiting: float, rate: float) -> Target:
    """By Little's law: the mean number of sessions that wait, over transactions a second, is the mean wait of one."""
    mean = round(1000 * waiting / rate, 2) if rate else 0.0
    return Target(
        "lock wait", mean, "ms", f"< {LOCK:g}", mean < LOCK, f"mean per transaction; {waiting:.2f} sessions waited"
    )


def _watched(seconds: float) -> tuple[float, float]:
    """Transactions a second, and how many sessions waited for a lock on average."""
    with connections["monitor"].cursor() as cursor:

        def ask(question: str) -> int:
            cursor.execute(question)
            return int(cursor.fetchone()[0])

        before, begun, waits = ask(_TRANSACTIONS), time.monotonic(), []
        while time.monotonic() < begun + seconds:
            waits.append(ask(_WAITING))
            time.sleep(1 / _SAMPLES)
        time.sleep(1.1)  # sessions tell of their transactions at most once a second
        gone = time.monotonic() - begun
        return max(0.0, (ask(_TRANSACTIONS) - before - len(waits) - 1) / gone), statistics.fmean(waits)


class _Load:
    """Sessions of the application's role that commit as fast as they can: a record in the log that changes nothing."""

    def __init__(self, sessions: int) -> None:
        self.rates: list[float] = []  # transactions a second, of each session
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._commit) for _ in range(sessions)]

    def __enter__(self) -> None:
        for thread in self._threads:
            thread.start()

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _commit(self) -> None:
        known, done = connections["default"].get_connection_params(), 0
        with psycopg.connect(
            **{name: known[name] for name in ("host", "port", "user", "password", "dbname")}
        ) as session:
            session.autocommit, begun = True, time.monotonic()
            while not self._stop.is_set():
                session.execute("SELECT pg_logical_emit_message(true, 'performance', '')")
                done += 1
            self.rates.append(done / (time.monotonic() - begun))
