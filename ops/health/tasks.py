"""The checks that the timetable asks."""

from celery import shared_task

from healthrecords.cli import Result

from . import looking


@shared_task
def look() -> Result:
    """Ask every part of the server."""
    return looking.look()


@shared_task
def look_deeply() -> Result:
    """Ask about pages, records, documents and the trail."""
    return looking.look_deeply()
