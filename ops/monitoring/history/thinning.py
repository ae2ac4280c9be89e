"""Keeps the history small: minutes for a week, then hours, and nothing older than 400 days."""

from datetime import datetime, timedelta
from itertools import groupby

from django.db import transaction

from .figures import folded
from .models import Sample

MINUTES_KEPT = timedelta(days=7)
KEPT = timedelta(days=400)


def thin_out(now: datetime) -> int:
    """Fold the minutes that are older than a week into hours, drop what is too old; return how many samples went."""
    until = _hour(now - MINUTES_KEPT)
    with transaction.atomic():
        dropped, _ = Sample.objects.filter(time__lt=now - KEPT).delete()
        minutes = Sample.objects.filter(time__lt=until, seconds=60)
        rows = list(minutes.values_list("time", "figures"))
        hours = [
            Sample(time=hour, seconds=3600, figures=folded([figures for _, figures in group]))
            for hour, group in groupby(rows, key=lambda row: _hour(row[0]))
        ]
        minutes.delete()
        Sample.objects.bulk_create(hours)
    return dropped + len(rows) - len(hours)


def _hour(time: datetime) -> datetime:
    return time.replace(minute=0, second=0, microsecond=0)
