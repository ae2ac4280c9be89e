"""The backups of the timetable, on the queue for long work."""

from celery import shared_task

from ops.proof import publishing
from ops.runs import job

from .taking import Type, take, told


@shared_task
def database(type_: Type) -> None:
    """Take a backup; where one runs already, or the queue hands the job out twice, the record says so."""
    with job(f"backup database --type {type_}") as record:
        taken = take(type_)
        record.summary, record.data = told(taken), {"id": taken.entry.id}
    publishing.refresh()
