"""How old the code tables are."""

from dataclasses import dataclass
from datetime import date

from immunizations.codes.loading import latest
from immunizations.codes.models import CodeRelease, CodeRow, CodeTable

OLDEST = 400  # days; CDC adds codes every season, so that older tables lack a year's vaccines


@dataclass(frozen=True)
class TableAge:
    """A table with its newest release, if it has one. `retired` counts the rows that CDC no longer lists."""

    table: CodeTable
    release: CodeRelease | None
    retired: int
    today: date

    @property
    def days(self) -> int | None:
        """The age in days, None for a table that was never loaded."""
        return (self.today - self.release.as_of).days if self.release else None

    @property
    def state(self) -> str:
        """`good`, `old` or `missing`."""
        if self.days is None:
            return "missing"
        return "old" if self.days > OLDEST else "good"


def ages(today: date) -> list[TableAge]:
    """Return the age of every table."""
    newest = latest()
    return [
        TableAge(table, newest.get(table), CodeRow.objects.filter(table=table, until=None, retired=True).count(), today)
        for table in CodeTable
    ]
