"""Look whether every job was run in its time and whether beat and the workers live, and tell what is new of it.

The web server looks, since it lives where beat and the workers are dead; one look at a time, whoever makes it. Each
trouble is told once when it begins and once when it has been over for a while. Where one host runs it all, the web
server also sends what the silent cannot; elsewhere Alertmanager is the other way (docs/runbooks/schedule.md).
"""

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Thread
from time import monotonic, sleep

from django.conf import settings
from django.db import DatabaseError, connection, connections, transaction
from django.utils import timezone

from healthrecords import notify
from healthrecords.notify import delivering
from healthrecords.schedule import JOBS

from . import running, tasks
from .judging import SILENT, is_silent, known
from .models import Pulse, Standing, Trouble
from .status import all_jobs, process_names

log = logging.getLogger(__name__)

_LOOK = 0x6C6F6F6B  # "look": the lock of the one that looks


@dataclass(frozen=True)
class Found:
    """A trouble that there is now."""

    kind: str
    severity: str


def look() -> None:
    """Mark the runs whose process is gone, and tell what is new and what is over."""
    clear_up()
    report()


def clear_up() -> None:
    """Mark the runs whose process is gone; hand out those that are to be run again."""
    going_on = dict(Standing.objects.filter(running=True).values_list("job", "by"))
    for job in JOBS:
        if job.name in going_on and running.clear_up(job):
            tasks.hand_out(job, going_on[job.name])


def report() -> None:
    """Tell what is new and what is over, unless somebody else is at it."""
    now = timezone.now()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_LOOK])
        found = dict(troubles(now)) if cursor.fetchone() == (True,) else None
        if found is not None:
            _tell(found, now)
    if settings.EMBEDDED and found and any(trouble.kind == SILENT for trouble in found.values()):
        delivering.send_waiting()


def troubles(now: datetime) -> Iterator[tuple[str, Found]]:
    """What is wrong now, by its subject: a job, or a process that is silent."""
    pulses = Pulse.all_by_name()
    for name in process_names():
        if is_silent(pulses.get(name), now):
            yield name.replace(" ", "-"), Found(SILENT, "critical")
    for stands in all_jobs(now):
        if stands.trouble:
            yield stands.job.name, Found(stands.trouble, stands.job.severity)


def _tell(found: Mapping[str, Found], now: datetime) -> None:
    told = Trouble.objects.in_bulk()
    for subject, trouble in found.items():
        if subject not in told or told[subject].kind != trouble.kind:
            Trouble.objects.update_or_create(subject=subject, defaults={**vars(trouble), "since": now, "gone": None})
            _announce(subject, trouble, now)
    Trouble.objects.filter(subject__in=found).update(gone=None)
    for subject in told.keys() - found.keys():
        _calm(told[subject], now)


def _calm(trouble: Trouble, now: datetime) -> None:
    """Tell that it is over once it has been gone for a while: what comes and goes each minute is one trouble.

    As severe as what it ends, so that it reaches whom that has reached.
    """
    gone = known(trouble.gone, now)
    if gone and now - gone >= timedelta(seconds=settings.SCHEDULE_SILENCE):
        facts = {"subject": trouble.subject, "since": _minute(trouble.since)}
        notify.tell("schedule.over", trouble.severity, "Over: {subject} is well again.", **facts)
        trouble.delete()
    elif gone is None:
        Trouble.objects.filter(subject=trouble.subject).update(gone=now)


def _minute(time: datetime) -> str:
    """A time as a fact of a notice; it keeps what happens twice in an hour apart."""
    return f"{time:%Y-%m-%dT%H:%MZ}"


def _announce(subject: str, trouble: Found, now: datetime) -> None:
    how, since, seconds = trouble.severity, _minute(now), settings.SCHEDULE_SILENCE
    match trouble.kind:
        case "silent":
            notify.tell("schedule.silent", how, "{process} was not heard for {seconds} seconds: jobs are not run.",
                        process=subject, seconds=seconds, since=since)  # fmt: skip
        case "late":
            notify.tell("schedule.late", how, "The job {job} was not begun in its time.", job=subject, since=since)
        case "long":
            notify.tell("schedule.long", how, "The job {job} runs longer than it should.", job=subject, since=since)
        case "problem":
            notify.tell("schedule.problem", how, "The job {job} has found a problem.", job=subject, since=since)
        case "interrupted":
            notify.tell("schedule.interrupted", how, "The process of the job {job} ended halfway.",
                        job=subject, since=since)  # fmt: skip
        case _:
            notify.tell("schedule.failed", how, "The job {job} failed.", job=subject, since=since)


def begin() -> None:
    """Look every few seconds in a thread of this process, as long as it lives."""
    Thread(target=_go_on, name="schedule", daemon=True).start()


def _go_on() -> None:
    """Nothing is told before beat and the workers, which start after us, had time to be heard."""
    patience = monotonic() + settings.SCHEDULE_SILENCE
    while True:
        sleep(settings.SCHEDULE_SILENCE / 6)
        try:
            clear_up()
            if monotonic() > patience:
                report()
        except DatabaseError as fault:
            log.warning("The timetable could not be looked at: %s", type(fault).__name__)
        except Exception:  # whatever it is, the next look may do better
            log.exception("The timetable could not be looked at.")
        finally:
            connections.close_all()
