"""Notices to people: an outbox in the database, channels and routes as rows, sent by the worker (docs/notices.md)."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from healthrecords.notify.models import Notice


def tell(event: str, severity: str, summary: str, **facts: str | int) -> "Notice":
    """Put one notice in the outbox, in the caller's transaction, and return at once; whatever a channel does.

    `event` is a dotted word such as `backup.failed`, `severity` critical, warning or info. `summary` is a sentence of
    the code, which may name facts in braces: `tell("schedule.late", "warning", "The job {job} is late.", job="x")`.
    Facts are whole numbers and plain identifiers: a notice leaves the building, so that it holds nobody's name. The
    identifiers say which trouble it is, the numbers how big it is: the same trouble told again within an hour is
    counted, not sent again. Raises ValueError for an event, a severity, a summary or a fact that is not such a one.
    """
    # Imported late: the process that sends (notify.sender) imports this package without Django.
    from healthrecords.notify.outbox import put

    return put(event, severity, summary, facts)
