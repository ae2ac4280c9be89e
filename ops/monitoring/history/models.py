"""The table of samples."""

from datetime import datetime
from typing import Any

from django.db import models

Figures = dict[str, Any]  # of each figure by its name: a number, or None where the minute had none


class Sample(models.Model):
    """What a minute was like, or an hour once it is old; `counters` is where the next minute goes on counting from."""

    time = models.DateTimeField(primary_key=True)
    seconds = models.PositiveSmallIntegerField(default=60)
    figures = models.JSONField()
    counters = models.JSONField(default=dict)

    class Meta:
        ordering = ["time"]

    def __str__(self) -> str:
        return f"{self.time:%Y-%m-%d %H:%M}"

    @classmethod
    def between(cls, begin: datetime, end: datetime) -> list[tuple[datetime, Figures]]:
        """Times and figures from `begin` until before `end`, oldest first."""
        return list(cls.objects.filter(time__gte=begin, time__lt=end).values_list("time", "figures"))

    @classmethod
    def counted(cls, since: datetime, before: datetime) -> dict[str, float]:
        """The counters of the newest sample of that time; empty where there is none."""
        newest = cls.objects.filter(time__gte=since, time__lt=before, seconds=60).last()
        return newest.counters if newest else {}
