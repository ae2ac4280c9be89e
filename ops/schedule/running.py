"""Run a job: never two runs of one at a time, each noted when it begins and when it ends, the dead ones marked.

A message of the queue may come twice, since a worker confirms it when the work is done. One whose run has ended is
dropped; one whose process died is run again where the job's row says so, at most AGAIN times in a row. A job of every
few minutes leaves an operations record only where it ends otherwise than the last time.
"""

from time import monotonic
from typing import Any

from django.utils.module_loading import import_string

from healthrecords.cli import Result
from healthrecords.redaction import scrub
from healthrecords.schedule import BY_NAME, Job
from ops import runs
from ops.runs import TIMETABLE

from .apart import held
from .models import Standing

AGAIN = 2  # how often a run is begun again at once: what kills its process may be the run itself
GONE = "Interrupted: its process ended before the run did."
LONGEST = 2000  # characters of a summary


class Busy(Exception):
    """A run of the job goes on already, or this message has had its run."""


def perform(name: str, by: str = TIMETABLE, message: str = "") -> Standing:
    """Run a job here and now; return how it stands. Raises Busy, and what the work raises, once that is recorded."""
    job = BY_NAME[name]
    with held(name) as free:
        if not free:
            raise Busy(f"A run of {name} goes on already.")
        standing = Standing.of(job)
        if not _is_to_run(job, standing, message):
            raise Busy(f"{name} was handed out twice; it is not run again.")
        standing.begin(message, by)
        _work(job, standing)
        return standing


def clear_up(job: Job) -> bool:
    """Mark a run whose process is gone; return whether the job is to be run again at once."""
    with held(job.name) as free:
        standing = Standing.of(job)
        if not (free and standing.running):
            return False
        _interrupted(job, standing)
        return _may_again(job, standing)


def _is_to_run(job: Job, standing: Standing, message: str) -> bool:
    """Whether this message begins a run; a run that is noted as going on has no process, since we hold its lock."""
    known, newest = message in standing.messages, message == (standing.messages or [""])[-1]
    died = standing.running
    if died:
        _interrupted(job, standing)
    return not known or (died and newest and _may_again(job, standing))


def _may_again(job: Job, standing: Standing) -> bool:
    return job.again and standing.interruptions <= AGAIN


def _interrupted(job: Job, standing: Standing) -> None:
    standing.interrupt(GONE)
    with runs.turn_of(job.name, standing.by):
        runs.leave(standing.by, f"schedule run {job.name}", runs.Job(GONE, "error"), 0)


def _work(job: Job, standing: Standing) -> None:
    """Do the work and note its end; a process that is told to stop in between leaves the run as interrupted."""
    started = monotonic()
    with runs.turn_of(job.name, standing.by) as turn:
        try:
            returned = import_string(job.task).run(*job.args)
        except Exception as fault:
            _ended(job, standing, turn, runs.Job(scrub(f"{type(fault).__name__}: {fault}"), "error"), started)
            raise
        _ended(job, standing, turn, turn.told or _said(returned), started)


def _ended(job: Job, standing: Standing, turn: runs.Turn, told: runs.Job, started: float) -> None:
    seconds = monotonic() - started
    on_record = turn.told is not None or (job.is_frequent and _is_same(standing, told))
    standing.end(told.outcome, told.summary[:LONGEST], seconds)
    if not on_record:
        runs.leave(standing.by, f"schedule run {job.name}", told, seconds)


def _is_same(standing: Standing, told: runs.Job) -> bool:
    """Whether the run before ended like this one; of two good ones the words do not matter."""
    return told.outcome == standing.outcome and (told.outcome == "good" or told.summary[:LONGEST] == standing.summary)


def _said(returned: Any) -> runs.Job:
    """What a job says by what it returns: a Result, or words or a number for one that found nothing wrong."""
    if isinstance(returned, Result):
        return runs.Job(returned.summary, returned.outcome, returned.data)
    return runs.Job("" if returned is None else str(returned))
