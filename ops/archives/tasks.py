"""The archives of the timetable, on the queue for long work."""

from celery import shared_task
from django.conf import settings

from ops.runs import job

from .entries import Kind
from .taking import take, told


@shared_task
def archive(kind: Kind) -> None:
    """Take an archive; without a folder of logs (a container engine keeps them) there is none of logs to take."""
    if kind == "logs" and not settings.BACKUP_LOGS:
        return
    with job(f"backup {kind}") as record:
        done = take(kind)
        record.summary = told(done)
        if done.entry:
            record.data = {"id": done.entry.id}
