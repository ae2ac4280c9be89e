"""What is to be said of the backups at a start and on each page, from what was last published of them.

Pure, and without Django, since a local start needs it before there is any.
"""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

PUBLISHED = "published.json"  # in the working directory of backups
_AHEAD = timedelta(minutes=5)  # how far clocks may differ


@dataclass(frozen=True)
class Limits:
    """How old the newest backup, the last proof and the word on both may be."""

    backup: timedelta = timedelta(hours=26)
    proof: timedelta = timedelta(hours=50)
    word: timedelta = timedelta(hours=3)


def limits() -> Limits:
    """What the surroundings say; what is no number is refused by the settings."""
    hours = {
        "backup": os.environ.get("HEALTHCARE_BACKUP_MAX_HOURS", ""),
        "proof": os.environ.get("HEALTHCARE_BACKUP_PROOF_MAX_HOURS", ""),
    }
    return Limits(**{name: timedelta(hours=int(text)) for name, text in hours.items() if text.isdecimal()})


def concerns(published: Mapping[str, Any] | None, now: datetime, limits: Limits) -> Iterator[str]:
    """One sentence for each thing that an operator should mind. `published`: as ops.proof.publishing writes it."""
    if not published or not published["newest"]:
        yield "There is no backup yet: take one with `backup database`."
        return
    if now - datetime.fromisoformat(published["time"]) > limits.word:
        yield f"Nothing was heard of the backups since {_minute(published['time'])}: the timetable does not run them."
    newest = published["newest"]["stopped"]
    if datetime.fromisoformat(newest) - now > _AHEAD:
        yield f"The newest backup is dated {_minute(newest)}, which is yet to come: set the clock; take a full one."
    elif now - datetime.fromisoformat(newest) > limits.backup:
        yield f"The newest backup is of {_minute(newest)}: take one with `backup database`, and see why none was."
    yield from _of_proof(published["proof"], now, limits)
    yield from published["warnings"]


def _of_proof(proof: Mapping[str, Any] | None, now: datetime, limits: Limits) -> Iterator[str]:
    if not proof:
        yield "No backup was restored yet to prove it: `backup test` does."
    elif not -_AHEAD <= now - datetime.fromisoformat(proof["time"]) <= limits.proof:
        yield f"The last proven restore is of {_minute(proof['time'])}: run `backup test`, and see what it says."


def _minute(time: str) -> str:
    return f"{datetime.fromisoformat(time):%Y-%m-%d %H:%M} UTC"
