"""Each web and worker process tells of itself every two seconds: memory, pools, look-ups in the cache.

It writes one field of a hash in the cache and reads whether something is asked of it, in one round trip. Processes of
all hosts meet there. While the cache is down they are silent.
"""

import json
import logging
import os
import socket
import threading
import time
from typing import Any

import psutil
from celery import signals
from django_redis import get_redis_connection

from ops.caching import counting, warming

from . import pools
from .tracing import Tracing

log = logging.getLogger(__name__)

TICK = 2.0  # seconds
PROCESSES, ASKED = "healthrecords:processes", "healthrecords:asked"
KEPT = 60  # seconds that a report, a question and its answers stay


class Reporter(threading.Thread):
    """The thread that tells of its process; `kind` is web, worker or beat."""

    def __init__(self, kind: str) -> None:
        super().__init__(name="reporter", daemon=True)
        self.kind, self.tracing, self._answered = kind, Tracing(), ""
        self._process = psutil.Process()
        self._first = self._process.memory_info().rss
        self.field = f"{socket.gethostname()} {os.getpid()}"

    def run(self) -> None:
        """Tell and answer, until the process ends."""
        while True:
            try:
                self.turn()
            except Exception as fault:  # whatever the cache's client raises
                log.debug("This process could not tell of itself: %s", type(fault).__name__)
            time.sleep(TICK)

    def turn(self) -> None:
        """Tell once, and answer what is asked."""
        self.tracing.end_forgotten()
        client = get_redis_connection()
        pipe = client.pipeline(transaction=False)
        pipe.hset(PROCESSES, self.field, json.dumps(self.report()))
        pipe.expire(PROCESSES, KEPT)
        pipe.get(ASKED)
        asked = json.loads(pipe.execute()[-1] or "{}")
        if asked and asked["id"] != self._answered:
            self._answered = asked["id"]
            answer = self._answer(asked)
            client.hset(answers(asked["id"]), self.field, json.dumps(answer))
            client.expire(answers(asked["id"]), KEPT)

    def report(self) -> dict[str, Any]:
        """What this process tells; bytes and times in seconds since the epoch."""
        memory = self._process.memory_info().rss
        return {
            "host": socket.gethostname(), "pid": os.getpid(), "kind": self.kind, "time": time.time(),
            "started": self._process.create_time(), "bytes": memory, "grown": memory - self._first,
            "threads": threading.active_count(), "pools": pools.own(), "cache": counting.counts(),
        }  # fmt: skip

    def _answer(self, asked: dict[str, Any]) -> Any:
        match asked["what"]:
            case "trace":
                return self.tracing.start(asked["seconds"])
            case "growth":
                return self.tracing.stop()
            case "warm":
                return warming.load()
        return None


def answers(question: str) -> str:
    """The name of the hash that holds the answers to a question."""
    return f"healthrecords:answers:{question}"


def start(kind: str) -> None:
    """Begin to tell of this process; call it after the last fork."""
    Reporter(kind).start()


@signals.worker_process_init.connect
def _worker(**_: Any) -> None:
    start("worker")


@signals.beat_init.connect
def _beat(**_: Any) -> None:
    start("beat")
