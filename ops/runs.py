"""Operations records: who ran what on this server, when, how it ended and how long it took.

Every verb that changes something leaves one (socket OPERATIONS_LOG of healthrecords.cli), and so does every job of the
timetable that runs inside `job`. Rows are never changed.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from time import monotonic
from typing import Any
from uuid import UUID

from django.core.management.base import CommandError
from django.db import models, transaction
from django.utils import timezone
from uuid6 import uuid7

from healthrecords import trail
from healthrecords.access.request import SYSTEM, AccessRequest

logger = logging.getLogger(__name__)

TIMETABLE = "timetable"


def new_id() -> UUID:
    """A key that sorts by time."""
    return UUID(str(uuid7()))


class Run(models.Model):
    """One run. `outcome` is good, problem or error; `seconds` its duration; `data` has no secrets and no PHI.

    `job` names the job of the timetable of which it is a run; it is empty for what somebody ran by its command.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    ended = models.DateTimeField(default=timezone.now, db_index=True)
    seconds = models.FloatField()
    actor = models.TextField()
    command = models.TextField(db_index=True)
    job = models.TextField(default="", db_index=True)
    outcome = models.TextField()
    summary = models.TextField()
    data = models.JSONField(default=dict)

    class Meta:
        ordering = ["-ended"]

    def __str__(self) -> str:
        return f"{self.command}: {self.outcome}"


@dataclass
class Job:
    """What a job of the timetable says about itself before it ends."""

    summary: str = ""
    outcome: str = "good"
    data: dict[str, Any] = field(default_factory=dict)


@dataclass
class Turn:
    """The turn of a job that this thread runs, for whom, and what the last record said that was kept in it."""

    job: str
    by: str
    told: Job | None = None


_turn: ContextVar[Turn | None] = ContextVar("turn", default=None)


@contextmanager
def turn_of(job: str, by: str) -> Iterator[Turn]:
    """Whatever is kept inside belongs to this turn of a job (ops.schedule)."""
    turn = Turn(job, by)
    token = _turn.set(turn)
    try:
        yield turn
    finally:
        _turn.reset(token)


def keep(actor: str, command: str, outcome: str, summary: str, seconds: float, **data: Any) -> None:
    """Write a record; a failure is logged, not raised, since the work is done by now."""
    turn = _turn.get()
    if turn:
        turn.told = Job(summary, outcome, data)
    said = {"outcome": outcome, "summary": summary, "seconds": seconds, "data": data}
    try:
        with transaction.atomic():
            Run.objects.create(actor=actor, command=command, job=turn.job if turn else "", **said)
    except Exception:
        logger.exception("The operations record of %s could not be written: %s", command, summary)


@contextmanager
def job(command: str, actor: str = TIMETABLE) -> Iterator[Job]:
    """Record what runs inside as a run of the timetable, or of who asked for it; a CommandError is its outcome.

    Anything else is raised.
    """
    told, started, turn = Job(), monotonic(), _turn.get()
    by = turn.by if turn and actor == TIMETABLE else actor
    try:
        yield told
    except Exception as fault:
        told.outcome, told.summary = "error", str(fault)
        if not isinstance(fault, CommandError):
            raise
    finally:
        leave(by, command, told, monotonic() - started)


def leave(actor: str, command: str, told: Job, seconds: float) -> None:
    """Leave what a run said of itself in the trail and in the operations records."""
    _record(command, told, seconds)
    keep(actor, command, told.outcome, told.summary, seconds, **told.data)


def _record(command: str, told: Job, seconds: float) -> None:
    """Leave the run in the trail, as a command by hand does; the work is done, so that a failure is logged alone."""
    asked = AccessRequest(SYSTEM, "command", "", "HSYSADMIN", request_id=str(uuid7()), route=command)
    outcome = "success" if told.outcome == "good" else "failure"
    detail = f"{command}: {told.outcome} in {seconds:.2f} s. {told.summary}"
    try:
        with transaction.atomic():
            trail.record(asked, [trail.Fact("command", outcome, detail=detail)])
    except Exception:
        logger.exception("The run of %s could not be written to the trail.", command)
