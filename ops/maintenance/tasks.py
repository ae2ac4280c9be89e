"""The maintenance of the timetable, on the queue for long work, where no backup runs beside it."""

from celery import shared_task

from ops.runs import TIMETABLE, job

from . import findings, indexes, tables
from .tables import Work

REPORT = "maintain report"


@shared_task
def keep(work: Work, by: str = TIMETABLE) -> None:
    """Vacuum or analyze all tables."""
    with job(f"maintain {work}", by) as record:
        done = tables.keep(work)
        record.summary = tables.told(done)
        record.outcome = "problem" if done.failed or done.bloated else "good"


@shared_task
def reindex(by: str = TIMETABLE) -> None:
    """Rebuild all indexes."""
    with job("maintain reindex", by) as record:
        done = indexes.rebuild()
        record.summary = indexes.told(done)
        record.outcome = "problem" if done.failed else "good"


@shared_task
def report(by: str = TIMETABLE) -> None:
    """Measure what holds nothing, and keep the figure for the metrics."""
    with job(REPORT, by) as record:
        found = findings.find()
        record.summary, record.data = findings.told(found), {"wasted": found.wasted}
        record.outcome = "problem" if found.wrong else "good"
