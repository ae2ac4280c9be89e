"""The workers that take background work, beat that hands it out, and what became of it."""

from django.utils import timezone

from healthrecords.celery import app
from healthrecords.schedule import LONG
from ops.schedule import judging, status
from ops.schedule.models import Pulse

from .looking import LOOK
from .registry import NEEDED, Problem, check

PATIENCE = 1.0  # seconds for a worker to answer
START = "Start the workers (`services status`, `services logs worker`); without them nothing is sealed or scanned."


class WorkerSilent(Exception):
    """No worker has answered lately."""


@check("worker", "processes", limit=2, next_step=START, ready=NEEDED)
def worker() -> str:
    """Ask all workers for a sign of life; the first answer will do."""
    if not app.control.ping(timeout=PATIENCE, limit=1):
        raise Problem("No worker answers.") from WorkerSilent()
    return "A worker answers."


@check("worker-long", "processes", limit=5, next_step="Start the worker of long work; without it there are no backups.")
def worker_of_long_work() -> str:
    """Ask which queues are taken."""
    answers = app.control.inspect(timeout=2 * PATIENCE).active_queues() or {}
    takers = [name for name, queues in answers.items() if any(queue["name"] == LONG for queue in queues)]
    if not takers:
        raise Problem("No worker takes the queue of long work.") from WorkerSilent()
    return f"{len(takers)} of {len(answers)} workers take long work."


@check(
    "beat", "processes", limit=5, needs="database", next_step="Start beat (`services status`, `services logs beat`)."
)
def beat() -> str:
    """When beat said last that it lives."""
    pulse, now = Pulse.all_by_name().get(judging.BEAT), timezone.now()
    if judging.is_silent(pulse, now):
        raise Problem("Beat is silent, so that no job is handed out.", since=pulse.time if pulse else None)
    return "Beat hands out the jobs of the timetable."


@check(
    "timetable", "processes", limit=5, needs="database", next_step="See `schedule status`; `schedule run` tries again."
)
def timetable() -> str:
    """Jobs that are late, take too long or ended badly."""
    jobs = [each for each in status.all_jobs(timezone.now()) if each.job.name != LOOK]
    if troubled := [f"{each.job.name} ({each.trouble})" for each in jobs if each.trouble]:
        raise Problem(f"Jobs are in trouble: {', '.join(troubled)}.")
    return f"{len(jobs)} jobs of the timetable are as they should be."
