"""The checks of the server's health: small functions in groups, each with its own time limit.

A check returns a sentence about what it found, or raises Problem (what is wrong, what to do next, since when) or
NotConfigured (there is nothing to look at, and no setting demands it). Any other exception is a problem, too: what it
says stays out of the answer, since it may hold addresses, and the check's own `next_step` is told.

    @check("cache", "cache", limit=2, next_step="Start Valkey.", ready=NEEDED)
    def answers() -> str: ...

Modules of checks are named in the setting HEALTH_CHECKS.
"""

import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as TooLate
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib import import_module
from typing import Any, Literal

from django.conf import settings
from django.db import connections

State = Literal["good", "problem", "not configured", "not asked"]
# The groups that `health all` asks; "integrity" takes minutes.
GROUPS = ("database", "cache", "processes", "external", "monitoring", "trail", "host")
NEEDED, OPTIONAL = "needed", "optional"  # whether requests can be served without it
Function = Callable[[], str]
Done = Callable[["Told"], None]


class Problem(Exception):
    """Something is wrong; `text` and `next_step` are sentences for the operator, `since` is UTC."""

    def __init__(self, text: str, next_step: str = "", since: datetime | None = None) -> None:
        super().__init__(text)
        self.text, self.next_step, self.since = text, next_step, since


class NotConfigured(Exception):
    """There is nothing to look at; the text is a sentence that says what would be set."""


@dataclass(frozen=True)
class Check:
    """One check. `limit` is in seconds; `needs` names the check without which it is not asked."""

    name: str
    group: str
    function: Function
    limit: float
    next_step: str
    needs: str = ""
    ready: str = ""


@dataclass(frozen=True)
class Told:
    """What a check said; `fault` is the type of what went wrong, fit for everybody's eyes."""

    check: str
    group: str
    state: State
    text: str
    next_step: str = ""
    since: datetime | None = None
    milliseconds: float = 0.0
    fault: str = ""

    def as_row(self) -> dict[str, Any]:
        """For a table and for JSON."""
        return {
            "check": self.check,
            "state": self.state,
            "found": self.text,
            "since": self.since,
            "next_step": self.next_step,
            "milliseconds": round(self.milliseconds, 1),
        }


_checks: dict[str, Check] = {}


def check(
    name: str, group: str, *, limit: float, next_step: str, needs: str = "", ready: str = ""
) -> Callable[[Function], Function]:
    """Enter a function as a check; see the module."""

    def enter(function: Function) -> Function:
        _checks[name] = Check(name, group, function, limit, next_step, needs, ready)
        return function

    return enter


@cache
def checks() -> dict[str, Check]:
    """All checks by name, in the order of the setting HEALTH_CHECKS."""
    for module in settings.HEALTH_CHECKS:
        import_module(module)
    return _checks


def of(*groups: str) -> list[Check]:
    """The checks of the groups."""
    return [each for each in checks().values() if each.group in groups]


def run(wanted: Iterable[Check], *, in_turn: bool = False, done: Done = lambda _: None) -> list[Told]:
    """Run checks and what they need, at the same time or one after the other; never longer than their limits."""
    chosen = list(wanted)
    needed = [checks()[each.needs] for each in chosen if each.needs]
    first = list(dict.fromkeys([*needed, *(each for each in chosen if not each.needs)]))
    told = _all(first, in_turn, done)
    failed = {each.check for each in told if each.state != "good"}
    later = [each for each in chosen if each.needs]
    told += [_not_asked(each) for each in later if each.needs in failed]
    told += _all([each for each in later if each.needs not in failed], in_turn, done)
    order = list(checks())
    return sorted(told, key=lambda each: order.index(each.check))


def _all(chosen: list[Check], in_turn: bool, done: Done) -> list[Told]:
    if in_turn:
        return [_reported(each, _start(each), done) for each in chosen]
    started = [(each, _start(each)) for each in chosen]
    return [_reported(each, flight, done) for each, flight in started]


def _not_asked(each: Check) -> Told:
    return Told(each.name, each.group, "not asked", f"Not looked at: it needs the {each.needs}.")


@dataclass
class _Flight:
    """A check on its way, in a thread that does not keep the process alive."""

    begun: float
    future: "Future[Told]"


def _start(each: Check) -> _Flight:
    flight = _Flight(time.monotonic(), Future())
    threading.Thread(target=_fly, args=(each, flight), name=f"health-{each.name}", daemon=True).start()
    return flight


def _fly(each: Check, flight: _Flight) -> None:
    try:
        told = ask(each)
    finally:
        connections.close_all()
    flight.future.set_result(told)


def _reported(each: Check, flight: _Flight, done: Done) -> Told:
    left = flight.begun + each.limit - time.monotonic()
    try:
        told = flight.future.result(max(left, 0))
    except TooLate:
        text = f"No answer within {each.limit:g} s."
        told = Told(each.name, each.group, "problem", text, each.next_step, None, 1000 * each.limit, "TooLate")
    done(told)
    return told


def ask(each: Check) -> Told:
    """Run a check here and now, without a limit; what it raises is told."""
    begun = time.monotonic()

    def told(state: State, text: str, step: str = "", since: datetime | None = None, fault: str = "") -> Told:
        return Told(each.name, each.group, state, text, step, since, 1000 * (time.monotonic() - begun), fault)

    try:
        return told("good", each.function())
    except NotConfigured as fault:
        return told("not configured", str(fault))
    except Problem as fault:
        cause = type(fault.__cause__ or fault).__name__
        return told("problem", fault.text, fault.next_step or each.next_step, fault.since, cause)
    except Exception as fault:  # whatever it is, the part is not well; its text may hold addresses and values
        name = type(fault).__name__
        return told("problem", f"The check failed ({name}).", each.next_step, None, name)
