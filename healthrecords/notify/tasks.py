"""The sending of notices: each minute, and after each commit that told something."""

from contextlib import suppress

from celery import shared_task
from django.core.cache import cache

from healthrecords.cli import counted
from healthrecords.notify import delivering, outbox


@shared_task
def send() -> str:
    """Send what waits; return what was done, in words."""
    with suppress(Exception):  # a cache that does not answer
        cache.delete(outbox.ASKED)
    sent, down = delivering.send_waiting()
    return f"{counted(sent, 'message')} sent, {counted(down, 'channel')} down."


@shared_task
def forget() -> None:
    """Remove old notices."""
    outbox.forget()
