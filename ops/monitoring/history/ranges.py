"""The times that the charts may show, and the samples of one cut into equal steps."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.utils import timezone

from .models import Figures, Sample


@dataclass(frozen=True)
class Range:
    """A stretch of time up to now: how long, in which steps it is drawn, in which it is told, and how it is labelled.

    `step` divides `row`, and `row` divides `length`; the axis has `marks` equal parts, its labels in `words`.
    """

    name: str
    title: str
    length: timedelta
    step: timedelta
    row: timedelta
    marks: int
    words: str

    def window(self, now: datetime) -> tuple[datetime, datetime]:
        """From when until when: whole steps, so that a minute is in the same one whenever it is shown."""
        begun = (now - datetime(1970, 1, 1, tzinfo=UTC)) // self.step
        end = datetime(1970, 1, 1, tzinfo=UTC) + (begun + 1) * self.step
        return end - self.length, end

    def steps(self, now: datetime) -> list[list[Figures]]:
        """The figures of the samples in each step, oldest first; a step without samples is empty."""
        begin, end = self.window(now)
        steps: list[list[Figures]] = [[] for _ in range(self.length // self.step)]
        for time, figures in Sample.between(begin, end):
            steps[(time - begin) // self.step].append(figures)
        return steps

    def labels(self, now: datetime) -> list[str]:
        """The times at the marks of the axis, in the server's time zone."""
        begin, _ = self.window(now)
        part = self.length / self.marks
        return [self.said(begin + number * part) for number in range(self.marks + 1)]

    def said(self, time: datetime) -> str:
        """A moment, as the axis says it."""
        return timezone.localtime(time).strftime(self.words)


DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
RANGES = {
    each.name: each
    for each in (
        Range("day", "Day", DAY, 5 * MINUTE, HOUR, marks=4, words="%H:%M"),
        Range("week", "Week", 7 * DAY, 30 * MINUTE, 12 * HOUR, marks=7, words="%a"),
        Range("month", "Month", 30 * DAY, 2 * HOUR, DAY, marks=5, words="%b %d"),
        Range("year", "Year", 364 * DAY, DAY, 28 * DAY, marks=4, words="%b"),
    )
}
