"""Celery's beat, with its memory in the database: a turn that fell into a stop is made up for at the next start.

Beat's own file would be lost with its container, and says nothing to anybody who watches.
"""

from typing import Any

from celery.beat import Scheduler
from django.utils import timezone

from . import pulses
from .judging import AHEAD, BEAT, known
from .models import Standing


class Timetable(Scheduler):
    """Hands out what healthrecords.schedule says, notes when, and says that it lives."""

    def setup_schedule(self) -> None:
        """Go on from when each job was handed out last, or was new."""
        super().setup_schedule()
        now = timezone.now()
        for name, standing in Standing.all_by_name().items():
            self.schedule[name].last_run_at = known(standing.handed, now) or known(standing.since, now) or now

    def tick(self, *args: Any, **options: Any) -> float:
        """Hand out what is due."""
        pulses.say(BEAT)
        self._follow_the_clock()
        wait: float = super().tick(*args, **options)
        return wait

    def apply_async(self, entry: Any, *args: Any, **options: Any) -> Any:
        """Hand out one job, and note when."""
        made = super().apply_async(entry, *args, **options)
        Standing.objects.filter(job=entry.name).update(handed=timezone.now())
        return made

    def _follow_the_clock(self) -> None:
        """Where the clock was set back, begin anew from now: else nothing would be due until it has caught up."""
        now = timezone.now()
        ahead = [entry for entry in self.schedule.values() if entry.last_run_at > now + AHEAD]
        for entry in ahead:
            entry.last_run_at = now
        if ahead:
            self._heap = None
