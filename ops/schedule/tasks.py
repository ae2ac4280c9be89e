"""What a worker does for the timetable: the turns that beat or a person hands out, and say that it lives."""

import logging
from typing import Any

import psycopg
from celery import current_app, shared_task
from celery.signals import heartbeat_sent
from django.db import OperationalError

from healthrecords.schedule import BY_NAME, Job
from ops.runs import TIMETABLE

from . import pulses, running
from .judging import worker_of

log = logging.getLogger(__name__)


@shared_task(bind=True, max_retries=None)
def perform(self: Any, name: str, by: str = TIMETABLE) -> None:
    """Run a job, unless a run of it goes on. While the database is away, try again each minute."""
    if name not in BY_NAME:  # handed out before an upgrade
        log.warning("There is no job %s any more.", name)
        return
    try:
        running.perform(name, by, self.request.id)
    except running.Busy as busy:
        log.warning("%s", busy)
    except (OperationalError, psycopg.OperationalError) as fault:
        raise self.retry(exc=fault, countdown=60) from fault


def hand_out(job: Job, by: str) -> None:
    """Have a worker run a job now; where nobody takes it by its next turn, that is left to it."""
    perform.apply_async((job.name, by), queue=job.queue, expires=job.period.total_seconds(), retry=False)


@heartbeat_sent.connect
def _worker_lives(**_: Any) -> None:
    """Every two seconds in the main process of a worker, as long as its loop turns."""
    for queue in current_app.amqp.queues.consume_from:
        pulses.say(worker_of(queue))
