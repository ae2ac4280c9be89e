"""Draws a figure over time as SVG shapes: one unit of width for each step, 100 units of height. No script, no style."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from .figures import Figure

HEIGHT = 100.0
MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0
_UNITS = ((DAY, "d"), (HOUR, "h"), (MINUTE, "min"))
# Where an axis of seconds may end; other axes end at 1, 2 or 5 times a power of ten.
ENDS_OF_SECONDS = (1, 10, 30, MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, 6 * HOUR,
                   12 * HOUR, DAY, 2 * DAY, 4 * DAY, 10 * DAY, 20 * DAY, 40 * DAY, 100 * DAY, 400 * DAY)  # fmt: skip

Values = Sequence[float | None]


@dataclass(frozen=True)
class Chart:
    """One figure's panel: `values` of the steps, `heard` whether there was any sample in each."""

    figure: Figure
    values: Values
    heard: Sequence[bool]

    @property
    def top(self) -> float:
        """The end of the axis: above every value, and above the limit where the values come near it."""
        limit = self.figure.limit or 0.0
        highest = max((value for value in self.values if value is not None), default=0.0)
        return end_of_axis(max(highest, limit if highest > limit / 2 else 0.0), self.figure.unit)

    @property
    def line(self) -> str:
        """The path of the line, broken where there is no value; a value alone is a dash of its step."""
        return " ".join(_piece(run, self.top) for run in _runs(self.values))

    @property
    def area(self) -> str:
        """The path of what lies below the line."""
        return " ".join(_ground(run, self.top) for run in _runs(self.values))

    @property
    def gaps(self) -> list[tuple[int, int]]:
        """Where nothing was heard of the server: begin and width in steps; the step that has just begun is none."""
        heard = [*self.heard[:-1], True]
        return [(start, length) for start, length, silent in _lengths(heard) if silent]

    @property
    def limit(self) -> float | None:
        """The height of the limit; None where it has none, or lies beyond the axis."""
        limit = self.figure.limit
        return None if limit is None or limit > self.top else round(_height(limit, self.top), 2)

    @property
    def latest(self) -> float | None:
        """The newest value; None where the last two steps have none."""
        return next((value for value in reversed(self.values[-2:]) if value is not None), None)

    @property
    def over(self) -> bool:
        """Whether the newest value has passed the limit."""
        return self.figure.limit is not None and self.latest is not None and self.latest > self.figure.limit

    @property
    def marks(self) -> list[str]:
        """The labels of the axis, from the top down."""
        return [said(share * self.top, self.figure.unit) for share in (1, 0.5, 0)]

    @property
    def told(self) -> str:
        """What the chart shows, in a sentence, for those who cannot see it."""
        known = [value for value in self.values if value is not None]
        if not known:
            return "Nothing is known of this time."
        unit, gaps = self.figure.unit, len(self.gaps)
        low, mean, high = (said(value, unit) for value in (min(known), sum(known) / len(known), max(known)))
        missing = f" {gaps} gap{'s' if gaps > 1 else ''} without samples." if gaps else ""
        return f"Between {low} and {high}, {mean} on average.{missing}"


def said(value: float | None, unit: str) -> str:
    """A value in words: three digits that matter, seconds as minutes, hours or days where that is shorter."""
    if value is None:
        return "none"
    if unit == "s" or (unit == "ms" and value >= 1000):
        return _duration(value if unit == "s" else value / 1000)
    number = f"{value:,.0f}" if value >= 100 else f"{value:.3g}" if value >= 1 else f"{value:.2g}"
    return f"{number}{'%' if unit == '%' else f' {unit}' if unit else ''}"


def _duration(seconds: float) -> str:
    unit, word = next(((unit, word) for unit, word in _UNITS if seconds >= 2 * unit), (1.0, "s"))
    number = f"{seconds / unit:.1f}" if seconds / unit < 10 else f"{seconds / unit:.0f}"
    return f"{number.removesuffix('.0')} {word}"


def end_of_axis(highest: float, unit: str) -> float:
    """A round number not below `highest` at which the axis ends; 100 for a share."""
    if unit == "%":
        return max(100.0, highest)
    return float(next((end for end in _ends(unit) if end >= highest), highest))


def _ends(unit: str) -> Iterator[float]:
    if unit == "s":
        yield from ENDS_OF_SECONDS
    else:
        yield from (step * 10.0**power for power in range(10) for step in (1, 2, 5))


def _lengths(heard: Sequence[bool]) -> Iterator[tuple[int, int, bool]]:
    """The runs of equal answers: begin, length, and whether nothing was heard."""
    start = 0
    for answer, run in groupby(heard):
        length = len(list(run))
        yield start, length, not answer
        start += length


Run = tuple[int, list[float]]


def _runs(values: Values) -> Iterator[Run]:
    """The stretches in which every value is known, each with the step in which it begins."""
    run: list[float] = []
    for number, value in enumerate([*values, None]):
        if value is not None:
            run.append(value)
        elif run:
            yield number - len(run), run
            run = []


def _points(run: Run, top: float) -> list[str]:
    """The middles of the steps; for a single value, the two ends of its step."""
    begin, values = run
    if len(values) == 1:
        height = _height(values[0], top)
        return [f"{begin} {height:.2f}", f"{begin + 1} {height:.2f}"]
    return [f"{begin + number + 0.5} {_height(value, top):.2f}" for number, value in enumerate(values)]


def _piece(run: Run, top: float) -> str:
    return "M" + " L".join(_points(run, top))


def _ground(run: Run, top: float) -> str:
    points = _points(run, top)
    first, last = points[0].split()[0], points[-1].split()[0]
    return f"M{first} {HEIGHT:g} L{' L'.join(points)} L{last} {HEIGHT:g} Z"


def _height(value: float, top: float) -> float:
    """Of a value in the drawing, whose zero is at the bottom."""
    return HEIGHT * (1 - min(value, top) / top)
