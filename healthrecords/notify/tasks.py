"""The sending of notices: each minute, and after each commit that told something."""

from celery import shared_task

from healthrecords.cli import counted
from healthrecords.notify import delivering, outbox


@shared_task
def send() -> str:
    """Send what waits; return what was done, in words."""
    sent, down = delivering.send_waiting()
    return f"{counted(sent, 'message')} sent, {counted(down, 'channel')} down."


@shared_task
def forget() -> None:
    """Remove old notices."""
    outbox.forget()
