"""What the running processes tell of themselves, and asking something of all of them."""

import json
import time
from typing import Any
from uuid import uuid4

from django.core.management.base import CommandError

from ops.caching.server import asked

from .reporting import ASKED, KEPT, PROCESSES, TICK, answers

_PATIENCE = 5 * TICK  # seconds for an answer of all


def reports() -> list[dict[str, Any]]:
    """What each live process told last (reporting.Reporter.report), by kind; forgets those that ended."""
    with asked() as client:
        told = {field: json.loads(text) for field, text in client.hgetall(PROCESSES).items()}
        ended = [field for field, report in told.items() if time.time() - report["time"] > KEPT]
        if ended:
            client.hdel(PROCESSES, *ended)
    live = [report for field, report in told.items() if field not in ended]
    return sorted(live, key=lambda report: (report["kind"], report["host"], report["pid"]))


def running() -> list[dict[str, Any]]:
    """The same; raises CommandError where none runs, so that nothing could be told."""
    if found := reports():
        return found
    raise CommandError("No process of the server tells of itself; start it, or wait a few seconds after a start.")


def ask(what: str, **more: Any) -> dict[str, Any]:
    """Ask something of every live process; return their answers, by `KIND PID`, of those that gave one in time."""
    wanted = {f"{each['host']} {each['pid']}": f"{each['kind']} {each['pid']}" for each in running()}
    question, until = uuid4().hex, time.monotonic() + _PATIENCE
    told: dict[str, Any] = {}
    with asked() as client:
        client.set(ASKED, json.dumps({"id": question, "what": what, **more}), ex=KEPT)
        while len(told) < len(wanted) and time.monotonic() < until:
            time.sleep(0.2)
            told = {field.decode(): json.loads(text) for field, text in client.hgetall(answers(question)).items()}
    return {wanted[field]: answer for field, answer in sorted(told.items()) if field in wanted}
