"""How each check stood when the timetable asked it last, and since when."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import models
from django.utils import timezone

from .registry import Told


class HealthState(models.Model):
    """One check; `state` as in Told, `since` when it came into this state."""

    check_name = models.TextField(primary_key=True)
    group = models.TextField()
    state = models.TextField()
    text = models.TextField()
    next_step = models.TextField(default="")
    since = models.DateTimeField()
    asked_at = models.DateTimeField()

    class Meta:
        verbose_name = "health check"

    def __str__(self) -> str:
        return self.check_name

    @classmethod
    def remember(cls, told: Iterable[Told]) -> None:
        """Note how the checks stand; a check that stays in its state keeps its `since`."""
        now, before = timezone.now(), cls.objects.in_bulk()
        rows: list[Any] = [
            cls(
                check_name=each.check,
                group=each.group,
                state=each.state,
                text=each.text,
                next_step=each.next_step,
                since=_since(each, before.get(each.check)) or now,
                asked_at=now,
            )
            for each in told
        ]
        names = ["group", "state", "text", "next_step", "since", "asked_at"]
        cls.objects.bulk_create(rows, update_conflicts=True, unique_fields=["check_name"], update_fields=names)


def _since(told: Told, before: HealthState | None) -> datetime | None:
    """Since when, where that is known."""
    if told.since:
        return told.since
    return before.since if before and before.state == told.state else None
