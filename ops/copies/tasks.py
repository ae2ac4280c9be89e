"""The copy of the documents by the timetable, on the queue for long work."""

from celery import shared_task

from ops.runs import job

from . import telling
from .copying import Kind, copy


@shared_task
def documents(kind: Kind) -> None:
    """Bring the copy up to date; where one runs already, or the queue hands the job out twice, the record says so."""
    with job("backup documents") as record:
        done = copy(kind)
        record.summary, record.outcome, record.data = telling.told(done), telling.outcome(done), telling.data(done)
