"""Recurring work: scan what waits, and everything again now and then."""

from celery import shared_task
from django.conf import settings

from documents.scanning.stored import scan


@shared_task
def scan_waiting() -> int:
    """Scan the contents that wait for a verdict; return how many still do. Without a scanner there is nothing to do."""
    return scan().waiting if settings.CLAMAV else 0


@shared_task
def scan_everything() -> int:
    """Scan all contents by today's signatures; return how many turned out infected."""
    return len(scan(everything=True).infected) if settings.CLAMAV else 0
