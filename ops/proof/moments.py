"""The moment that somebody chose on the page, and the commands that restore it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

_COMMAND = "manage.py restore database latest"


@dataclass(frozen=True)
class Choice:
    """`text` as it was typed, `point` as it was picked; `commands` in their order, or why there are none."""

    text: str = ""
    point: str = ""
    commands: tuple[str, ...] = ()
    fault: str = ""

    @classmethod
    def of(cls, asked: Mapping[str, str], found: Mapping[str, Any] | None) -> "Choice":
        """What the form's values mean; the newest moment where nothing is chosen."""
        text, point = asked.get("moment", "").strip(), asked.get("point", "")
        if point:
            known = {each["name"] for each in found["points"]} if found else set()
            return cls(point=point, commands=_commands(f"--to-point {point}")) if point in known else cls()
        if not text:
            return cls(commands=_commands(""))
        return _at(text, found)


def _at(text: str, found: Mapping[str, Any] | None) -> Choice:
    try:
        moment = datetime.fromisoformat(text).replace(tzinfo=UTC)
    except ValueError:
        return Choice(text, fault="This is no time; write it as 2026-03-01T12:30.")
    begin, until = (found or {}).get("begin"), (found or {}).get("until")
    if not begin or not until or not datetime.fromisoformat(begin) <= moment <= datetime.fromisoformat(until):
        return Choice(text, fault="That moment cannot be restored; choose one inside the range above.")
    return Choice(text, commands=_commands(f"--to-time {moment:%Y-%m-%dT%H:%M:%SZ}"))


def _commands(to: str) -> tuple[str, ...]:
    command = f"{_COMMAND} {to}".strip()
    return (f"{command} --dry-run", command)
