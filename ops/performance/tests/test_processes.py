"""What running processes tell of themselves: pools, memory, what grows, look-ups; and without the cache."""

import json
import os
import subprocess
import sys
import time
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.core.cache import cache
from django.db import connections

from ops.monitoring.tests.reading import value
from ops.performance import pools, processes, resources, targets
from ops.performance.reporting import Reporter

from .sessions import session, wait_until

GROWS = """
import django, time
django.setup()
from ops.performance import reporting
from django.db import connection
reporting.TICK = 0.1
connection.ensure_connection()
reporting.start("web")
kept = []
while True:
    kept.append("Zyxfamily" * 10_000)
    time.sleep(0.02)
"""
GROWS_IN = "<string>:11"


def surroundings():
    """What makes a process work on this test's database and cache."""
    url = urlsplit(os.environ["HEALTHCARE_DATABASE_URL"])
    name = connections["default"].settings_dict["NAME"]
    return os.environ | {
        "HEALTHCARE_DATABASE_URL": url._replace(path=f"/{name}").geturl(),
        "HEALTHCARE_CACHE_URL": settings.CACHES["default"]["LOCATION"],
    }


@contextmanager
def a_process(code):
    with subprocess.Popen([sys.executable, "-c", code], env=surroundings(), cwd=settings.BASE_DIR) as running:
        try:
            wait_until(processes.reports)
            yield running
        finally:
            running.kill()


def told(ended, key):
    return json.loads(ended.out)[key]


def test_a_running_process_tells_of_its_pool_and_what_grows_in_it_and_loads_what_it_keeps(db, operate, monkeypatch):
    monkeypatch.setattr(processes, "_PATIENCE", 60.0)
    with a_process(GROWS) as running:
        grown = operate("performance", "memory", "--trace", "1", "--json")
        warm, now = operate("cache", "warm", "--json"), time.time()
        wait_until(lambda: processes.reports()[0]["time"] > now)
        pool = operate("performance", "pool", "--json")
        size = value("database_pool_size")
        quiet = operate("performance", "memory", "--json")
    assert grown.code == 0, grown
    assert told(grown, "processes")[0]["process"] == f"web {running.pid}"
    first = told(grown, "growth")[0]
    assert (first["process"], first["where"]) == (f"web {running.pid}", GROWS_IN)
    assert first["kb"] > 200
    assert "Zyxfamily" not in grown.out
    assert "growth" not in json.loads(quiet.out)
    assert pool.code == 0, pool
    (row,) = told(pool, "pools")
    assert (row["process"], row["pool"], row["in_use"]) == (f"web {running.pid}", "default", 1)
    assert size >= 1
    assert warm.code == 0, warm
    (row,) = told(warm, "processes")
    assert row["process"] == f"web {running.pid}"
    assert {"capabilities", "code tables", "R4 definitions"} <= set(row)
    assert None not in row.values()


def test_a_full_pool_is_a_problem(db, operate, monkeypatch):
    full = dict.fromkeys(pools.FIGURES, 0) | {"pool_max": 8, "pool_size": 8, "requests_waiting": 3}
    monkeypatch.setattr(pools, "own", lambda: {"default": full})
    Reporter("web").turn()
    ended = operate("performance", "pool", "--json")
    assert ended.code == 1
    assert told(ended, "pools")[0]["percent"] == 100
    assert "HEALTHCARE_DATABASE_POOL" in told(ended, "summary")
    assert value("database_pool_waiting") == 3
    met = {
        row["target"]: row["met"]
        for row in told(operate("performance", "database", "--seconds", "1", "--json"), "targets")
    }
    assert met["connection pool"] is False


def test_a_process_that_ended_is_forgotten(db, monkeypatch):
    Reporter("web").turn()
    assert processes.reports()
    monkeypatch.setattr(processes, "KEPT", -1)
    assert processes.reports() == []
    monkeypatch.undo()
    assert processes.reports() == []


def test_tracing_that_nobody_ends_ends_by_itself(db):
    reporter = Reporter("web")
    reporter.tracing.start(1)
    assert tracemalloc.is_tracing()
    reporter.tracing._until = 0
    reporter.turn()
    assert not tracemalloc.is_tracing()


def test_without_a_running_process_it_says_so(db, operate):
    for verb in ("pool", "memory"):
        assert operate("performance", verb).refuses("No process of the server tells of itself")


@pytest.mark.parametrize("verb", ["performance pool", "performance memory", "cache warm",
                                  "cache patterns", "cache cleanup", "cache metrics", "cache usage"])  # fmt: skip
def test_a_cache_that_is_down_is_one_sentence(db, operate, verb, settings):
    known = settings.CACHES
    settings.CACHES = known | {"default": known["default"] | {"LOCATION": "redis://:nobody-is-here@127.0.0.1:1/0"}}
    assert operate(*verb.split()).refuses("The cache does not answer")


def test_what_is_looked_up_is_counted_by_kind(db, operate):
    hit, miss = ({"kind": "fhir-order", "result": each} for each in ("hit", "miss"))
    before = value("cache_requests_total", **hit), value("cache_requests_total", **miss)
    cache.set("fhir-order-x", None, 60)
    assert cache.get("fhir-order-x", "nothing") is None
    assert cache.get("fhir-order-y", "nothing") == "nothing"
    after = value("cache_requests_total", **hit), value("cache_requests_total", **miss)
    assert after == (before[0] + 1, before[1] + 1)
    Reporter("web").turn()
    (row,) = [row for row in told(operate("cache", "metrics", "--json"), "kinds") if row["kind"] == "fhir-order"]
    assert row["hits"] >= 1
    assert row["misses"] >= 1


def test_resources_are_those_of_this_machine(db, operate):
    ended = operate("performance", "resources", "--json")
    assert {"processor", "memory", "disk of data"} <= {row["resource"] for row in told(ended, "machine")}
    ours = {row["program"]: row for row in told(ended, "programs")}
    assert {"postgres", "valkey", "seaweedfs"} <= set(ours)
    assert ours["postgres"]["processes"] > 3
    assert all(row["bytes"] > 1_000_000 for row in ours.values())


def test_without_records_of_a_start_the_largest_processes_are_shown(db, settings, tmp_path):
    settings.DATA_DIR = tmp_path
    rows = resources.programs(0.0)
    assert 0 < len(rows) <= 20
    assert rows[0]["bytes"] >= rows[-1]["bytes"] > 0


def test_the_four_targets_are_measured(db, operate):
    ended = operate("performance", "database", "--seconds", "1", "--load", "2", "--json")
    rows = {row["target"]: row for row in told(ended, "targets")}
    assert set(rows) == {"connection pool", "query response", "transactions", "lock wait"}
    assert rows["transactions"]["measured"] > 10
    assert rows["query response"]["met"] is True


def test_a_wait_for_a_lock_is_in_the_figures(things):
    def wait():
        with session("default") as each:
            each.execute("UPDATE things SET a = 1 WHERE id = 1")

    with session("default") as holder, ThreadPoolExecutor(1) as pool:
        holder.execute("BEGIN")
        holder.execute("UPDATE things SET a = 0 WHERE id = 1")
        waiting = pool.submit(wait)
        found = {each.name: each for each in targets.measure(1.0, sessions=1)}
        holder.execute("ROLLBACK")
        waiting.result()
    assert found["lock wait"].measured > 0
