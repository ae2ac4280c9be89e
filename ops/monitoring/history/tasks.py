"""The history's background work; both run too often to leave an operations record each time."""

from celery import shared_task
from django.utils import timezone

from . import sampling, thinning


@shared_task
def sample() -> None:
    """Take the sample of this minute."""
    sampling.take()


@shared_task
def thin_out() -> None:
    """Fold old minutes into hours."""
    thinning.thin_out(timezone.now())
