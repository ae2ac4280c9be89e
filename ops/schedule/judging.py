"""Whether a job is late, takes too long or failed: facts in, a verdict out."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings

from healthrecords.schedule import Job

from .models import Pulse, Standing

AHEAD = timedelta(minutes=1)  # how far two clocks may differ
BEAT = "beat"

LATE, LONG, SILENT, INTERRUPTED = "late", "long", "silent", "interrupted"


@dataclass(frozen=True)
class Verdict:
    """What is to be said of a job now.

    `turn`: its next turn, in the past where it has not begun yet. `trouble`: empty, `late`, `long` (it runs longer
    than its objective), or how its last run ended: problem, error, interrupted.
    """

    turn: datetime
    trouble: str


def worker_of(queue: str) -> str:
    """The name by which the worker of a queue says that it lives."""
    return f"worker {queue}"


def judge(job: Job, standing: Standing, pulses: Mapping[str, Pulse], now: datetime) -> Verdict:
    """Weigh what is known of a job. While beat or its worker is silent it is not late: that is told by itself."""
    begun = known(standing.begun, now)
    turn = job.turn_after(max(filter(None, (begun, known(standing.since, now))), default=now))
    if standing.running:
        return Verdict(turn, LONG if begun and now - begun > job.objective else _ended_badly(standing))
    late = now > max(turn, _served_since(job, pulses, now)) + job.lateness
    return Verdict(turn, LATE if late else _ended_badly(standing))


def known(moment: datetime | None, now: datetime) -> datetime | None:
    """A time that can be; one that is yet to come is unknown, since the clock was wrong then or is wrong now."""
    return moment if moment and moment <= now + AHEAD else None


def age(pulse: Pulse | None, now: datetime) -> timedelta | None:
    """How long ago it was heard; None where it never was, or at a time that is yet to come."""
    heard = known(pulse.time if pulse else None, now)
    return max(now - heard, timedelta()) if heard else None


def is_silent(pulse: Pulse | None, now: datetime) -> bool:
    """Whether it should have been heard since."""
    heard = age(pulse, now)
    return heard is None or heard > timedelta(seconds=settings.SCHEDULE_SILENCE)


def _served_since(job: Job, pulses: Mapping[str, Pulse], now: datetime) -> datetime:
    """Since when beat and the worker have lived without a pause; now where one of them is silent."""
    needed = [pulses.get(BEAT), pulses.get(worker_of(job.queue))]
    return max(now if pulse is None or is_silent(pulse, now) else pulse.steady for pulse in needed)


def _ended_badly(standing: Standing) -> str:
    return "" if standing.outcome == "good" else standing.outcome
