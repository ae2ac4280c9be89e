"""How the jobs stand, for the command, the page and the metrics."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from healthrecords.cli import Result
from healthrecords.schedule import JOBS, Job

from .judging import BEAT, age, is_silent, judge, worker_of
from .models import Pulse, Standing


@dataclass(frozen=True)
class Stands:
    """A job of the timetable, what is known of it, its next turn, and its trouble (judging.Verdict)."""

    job: Job
    known: Standing
    turn: datetime
    trouble: str

    @property
    def outcome(self) -> str:
        """How it stands in a word: running, or how its last run ended; `none yet` before the first."""
        return "running" if self.known.running else self.known.outcome or "none yet"


def all_jobs(now: datetime) -> list[Stands]:
    """Every job as it stands."""
    standings, pulses = Standing.all_by_name(), Pulse.all_by_name()
    verdicts = [(job, standings[job.name], judge(job, standings[job.name], pulses, now)) for job in JOBS]
    return [Stands(job, known, verdict.turn, verdict.trouble) for job, known, verdict in verdicts]


def processes(now: datetime) -> list[dict[str, Any]]:
    """Beat and the workers: how many seconds ago each was heard, and whether that is too long."""
    pulses = Pulse.all_by_name()
    return [
        {"process": name, "heard": _seconds(pulses.get(name), now), "silent": is_silent(pulses.get(name), now)}
        for name in process_names()
    ]


def process_names() -> Iterator[str]:
    """Beat, and the worker of each queue."""
    yield BEAT
    yield from (worker_of(queue) for queue in sorted({job.queue for job in JOBS}))


def timetable_row(stands: Stands) -> dict[str, Any]:
    """What the timetable says of a job; durations in seconds."""
    job = stands.job
    objective, lateness = job.objective.total_seconds(), job.lateness.total_seconds()
    return {
        "job": job.name,
        "when": job.when.words,
        "next": stands.turn,
        "queue": job.queue,
        "objective": round(objective),
        "lateness": round(lateness),
    }


def standing_row(stands: Stands) -> dict[str, Any]:
    """How a job stands; durations in seconds."""
    known = stands.known
    return {
        "job": stands.job.name,
        "outcome": stands.outcome,
        "trouble": stands.trouble or None,
        "begun": known.begun,
        "seconds": None if known.seconds is None else round(known.seconds, 2),
        "succeeded": known.succeeded,
        "next": stands.turn,
        "said": known.summary,
    }


def ended(standing: Standing) -> Result:
    """The result of a run that was asked for by hand."""
    said = standing.summary or "It has nothing to say."
    outcome: Any = standing.outcome
    return Result(f"{standing.job}: {said}", {"job": standing.job, "seconds": standing.seconds}, outcome)


def _seconds(pulse: Pulse | None, now: datetime) -> int | None:
    heard = age(pulse, now)
    return None if heard is None else round(heard.total_seconds())
