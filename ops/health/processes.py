"""The workers that take background work."""

from healthrecords.celery import app
from healthrecords.schedule import LONG

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
