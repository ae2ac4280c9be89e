"""Recurring work: scan what waits, and everything again now and then."""

from celery import shared_task
from django.conf import settings

from documents.scanning.stored import scan
from healthrecords.cli import Result, counted

NONE = "No virus scanner is configured."


@shared_task
def scan_waiting() -> Result:
    """Scan the contents that wait for a verdict."""
    return Result(f"{counted(scan().waiting, 'content')} left without a verdict." if settings.CLAMAV else NONE)


@shared_task
def scan_everything() -> Result:
    """Scan all contents by today's signatures."""
    if not settings.CLAMAV:
        return Result(NONE)
    found = len(scan(everything=True).infected)
    return Result(f"{counted(found, 'content')} infected.", outcome="problem" if found else "good")
