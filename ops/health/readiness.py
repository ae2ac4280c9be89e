"""Fills the readiness socket: the checks that requests depend on, asked at once, each with its limit."""

from typing import Any

from .registry import OPTIONAL, Told, checks, run


def report() -> dict[str, dict[str, Any]]:
    """The state of each part: `ok`, the milliseconds that it took, and what is wrong in a word or two.

    What serves on without a part is told by its `optional`; a part that is not configured is left out. Everybody may
    read it, so that the sentences of the checks, which name hosts, stay out.
    """
    told = run(each for each in checks().values() if each.ready)
    return {each.check: _part(each) for each in told if each.state != "not configured"}


def _part(told: Told) -> dict[str, Any]:
    if told.state == "good":
        part: dict[str, Any] = {"ok": True, "ms": round(told.milliseconds, 1)}
    else:
        part = {"ok": False, "problem": told.fault}
    return {**part, "optional": True} if checks()[told.check].ready == OPTIONAL else part
