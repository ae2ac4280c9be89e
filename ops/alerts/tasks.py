"""The dead man's switch each minute, and the removal of old alerts."""

from celery import shared_task

from . import hearing


@shared_task
def watch() -> None:
    """Tell when Alertmanager has fallen silent."""
    hearing.watch()


@shared_task
def forget() -> None:
    """Remove old alerts."""
    hearing.forget()
