"""Look whether every job was run in its time and whether beat and the workers live, and tell what is new of it.

The web server looks, since it lives where beat and the workers are dead; one look at a time, whoever makes it. Each
trouble is told once when it begins and once when it is over.
"""

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from threading import Thread
from time import sleep

from django.conf import settings
from django.db import connection, connections, transaction
from django.utils import timezone

from healthrecords import notify
from healthrecords.schedule import JOBS
from ops.runs import TIMETABLE

from . import running, tasks
from .judging import BEAT, LATE, LONG, SILENT, is_silent, judge, worker_of
from .models import Pulse, Standing, Trouble

log = logging.getLogger(__name__)

_LOOK = 0x6C6F6F6B  # "look": the lock of the one that looks
WORDS = {
    LATE: "The job {subject} was not begun in its time.",
    LONG: "The job {subject} runs longer than it should.",
    SILENT: "Nothing was heard of {subject} for {seconds} seconds: jobs are not run.",
    "error": "The job {subject} failed.",
    "problem": "The job {subject} found a problem.",
    "interrupted": "The process that ran the job {subject} ended halfway.",
}


@dataclass(frozen=True)
class Found:
    """A trouble that there is now."""

    kind: str
    severity: str


def look() -> None:
    """Mark runs whose process is gone, then tell what is new and what is over; at once with what it notes of it."""
    now, going_on = timezone.now(), set(Standing.objects.filter(running=True).values_list("job", flat=True))
    for job in JOBS:
        if job.name in going_on and running.clear_up(job):
            tasks.hand_out(job, TIMETABLE)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_LOOK])
        if cursor.fetchone() == (True,):
            _tell(dict(troubles(now)))


def troubles(now: datetime) -> Iterator[tuple[str, Found]]:
    """What is wrong now, by its subject."""
    pulses, standings = Pulse.all_by_name(), Standing.all_by_name()
    yield from _silences(pulses, now)
    for job in JOBS:
        if trouble := judge(job, standings[job.name], pulses, now).trouble:
            yield job.name, Found(trouble, job.severity)


def _silences(pulses: Mapping[str, Pulse], now: datetime) -> Iterator[tuple[str, Found]]:
    for name in (BEAT, *(worker_of(queue) for queue in sorted({job.queue for job in JOBS}))):
        if is_silent(pulses.get(name), now):
            yield name.replace(" ", "-"), Found(SILENT, "critical")


def _tell(found: Mapping[str, Found]) -> None:
    told = Trouble.objects.in_bulk()
    for subject, trouble in found.items():
        if subject not in told or told[subject].kind != trouble.kind:
            Trouble.objects.update_or_create(subject=subject, defaults={"kind": trouble.kind})
            facts = {"subject": subject, "seconds": settings.SCHEDULE_SILENCE}
            notify.tell(f"schedule.{trouble.kind}", trouble.severity, WORDS[trouble.kind], **facts)
    for subject in told.keys() - found.keys():
        told[subject].delete()
        notify.tell("schedule.over", "info", "{subject} is well again.", subject=subject)


def begin(every: float | None = None) -> Thread:
    """Look every few seconds in a thread of this process, as long as it lives."""
    thread = Thread(target=_go_on, args=(every or settings.SCHEDULE_SILENCE / 6,), name="schedule", daemon=True)
    thread.start()
    return thread


def _go_on(every: float) -> None:
    while True:
        sleep(every)
        try:
            look()
        except Exception:  # whatever is away now, the next look may find it
            log.exception("The timetable could not be looked at.")
        finally:
            connections.close_all()
