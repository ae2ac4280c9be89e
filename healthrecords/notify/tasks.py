"""The sending of notices: each minute, and after each commit that told something."""

from celery import shared_task

from healthrecords.notify import delivering, outbox


@shared_task
def send() -> None:
    """Send what waits."""
    delivering.send_waiting()


@shared_task
def forget() -> None:
    """Remove old notices."""
    outbox.forget()
