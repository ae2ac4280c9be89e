"""The timetable: every recurring job, its time, how long it may take and how late it may begin.

Reviewed code, not rows in a database: a new job is a row of JOBS. Beat hands out what is here, `ops.schedule` runs and
watches it, and the console shows each objective beside what was measured. Times are UTC.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

from celery.schedules import crontab

QUEUES = SHORT, LONG = "celery", "long"  # work that takes minutes or hours has a worker of its own
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@dataclass(frozen=True)
class When:
    """The turns of a job, as Celery takes them and in words."""

    turns: timedelta | crontab
    words: str


@dataclass(frozen=True)
class Job:
    """One recurring job.

    `objective`: the longest that a run should take. `lateness`: how long after its turn a run may begin before it
    counts as missed. `again`: run it at once when its process died halfway; else it is marked, and the next turn runs.
    `severity`: of the notice when it fails or is missed (critical or warning). `guarded`: whoever runs it now in the
    console is asked for a fresh second factor, as for the same work elsewhere.
    """

    name: str
    task: str
    when: When
    objective: timedelta
    lateness: timedelta
    args: tuple[str, ...] = ()
    queue: str = SHORT
    again: bool = False
    severity: str = "warning"
    guarded: bool = False

    def turn_after(self, moment: datetime) -> datetime:
        """The first turn after `moment`."""
        if isinstance(self.when.turns, timedelta):
            return moment + self.when.turns
        begin, step, _ = self.when.turns.remaining_delta(moment, tz=UTC)
        turn: datetime = begin + step
        return turn

    @property
    def period(self) -> timedelta:
        """The shortest time between two turns; a run that nobody began by then leaves the queue to the next."""
        turns = [_MONDAY]
        while len(turns) < _TURNS:
            turns.append(self.turn_after(turns[-1]))
        return min(later - earlier for earlier, later in pairwise(turns[1:]))

    @property
    def is_frequent(self) -> bool:
        """Whether it runs too often to leave an operations record of each run."""
        return self.period < HOUR

    @property
    def package(self) -> str:
        """The package whose module `tasks` holds its work."""
        return self.task.rpartition(".tasks.")[0]


_MONDAY, _TURNS = datetime(2024, 1, 1, tzinfo=UTC), 10


def _now() -> datetime:
    return datetime.now(UTC)


def every(minutes: int) -> When:
    """Every so many minutes."""
    words = {1: "every minute", 60: "every hour"}.get(minutes, f"every {minutes} minutes")
    return When(timedelta(minutes=minutes), words)


def hourly(minute: int) -> When:
    """At this minute of each hour."""
    return When(crontab(minute=minute, nowfun=_now), f"hourly at :{minute:02}")


def quarterly() -> When:
    """At each quarter of an hour."""
    return When(crontab(minute="*/15", nowfun=_now), "each quarter of an hour")


def daily(hour: int, minute: int, days: str = "*") -> When:
    """At this time of each day, or of the days of the week named."""
    turns = crontab(minute=minute, hour=hour, day_of_week=days, nowfun=_now)
    return When(turns, f"{_DAYS[days]} at {hour:02}:{minute:02}")


_DAYS = {"*": "daily", "sun": "Sundays", "mon-sat": "Mondays to Saturdays"}


JOBS: tuple[Job, ...] = (
    # The audit trail.
    Job("seal-audit-trail", "compliance.audit.tasks.seal", every(1), MINUTE, 2 * MINUTE, severity="critical"),
    Job("verify-audit-trail", "compliance.audit.tasks.verify", daily(2, 30), HOUR, 2 * HOUR, severity="critical"),
    Job("reconcile-audit-trail", "compliance.audit.tasks.reconcile", daily(2, 50), HOUR, 2 * HOUR),
    Job("review-accesses", "compliance.review.tasks.review_yesterday", daily(4, 10), HOUR, 2 * HOUR, again=True),
    Job("tell-privacy-officers", "compliance.breakglass.tasks.tell", every(1), MINUTE, 5 * MINUTE),
    # Notices.
    Job("send-notices", "healthrecords.notify.tasks.send", every(1), 5 * MINUTE, 5 * MINUTE, severity="critical"),
    Job("watch-alertmanager", "ops.alerts.tasks.watch", every(1), MINUTE, 5 * MINUTE, severity="critical"),
    Job("forget-old-alerts", "ops.alerts.tasks.forget", daily(5, 55), MINUTE, DAY),
    Job("forget-old-notices", "healthrecords.notify.tasks.forget", daily(5, 50), MINUTE, DAY),
    # The history of the metrics, and what is measured at night.
    Job("sample-metrics", "ops.monitoring.history.tasks.sample", every(1), MINUTE, 5 * MINUTE),
    Job("thin-out-metrics", "ops.monitoring.history.tasks.thin_out", hourly(5), MINUTE, DAY),
    Job("measure-encryption", "ops.monitoring.tasks.measure_encryption", daily(5, 40), HOUR, 6 * HOUR, queue=LONG),
    # People and apps.
    Job("expire-enrolment-links", "healthrecords.accounts.tasks.expire_enrolment_links", every(60), MINUTE, HOUR),
    Job("clear-ended-sessions", "healthrecords.accounts.tasks.clear_ended_sessions", every(60), MINUTE, HOUR),
    Job("clear-ended-permissions-of-apps", "healthrecords.oauth.tasks.clear_what_ended", every(60), MINUTE, HOUR),
    # Documents.
    Job("scan-waiting-documents", "documents.scanning.tasks.scan_waiting", every(5), 10 * MINUTE, 15 * MINUTE),
    Job("scan-all-documents", "documents.scanning.tasks.scan_everything", daily(3, 20, "sun"), 6 * HOUR, 6 * HOUR),
    Job("check-documents", "documents.tasks.check", daily(3, 40), 4 * HOUR, 6 * HOUR, queue=LONG),
    # Backups of the database.
    Job("backup-full", "ops.backup.tasks.database", daily(2, 0), 2 * HOUR, 2 * HOUR, ("full",), LONG,
        again=True, severity="critical", guarded=True),
    Job("backup-incremental", "ops.backup.tasks.database", hourly(15), 15 * MINUTE, 2 * HOUR, ("incremental",), LONG),
    Job("backup-archive", "ops.backup.tasks.database", daily(1, 0, "sun"), 4 * HOUR, 4 * HOUR, ("archive",), LONG,
        again=True, guarded=True),
    Job("backup-test", "ops.proof.tasks.prove", daily(4, 30), HOUR, 4 * HOUR, queue=LONG, again=True,
        severity="critical", guarded=True),
    Job("backup-verify", "ops.proof.tasks.verify", daily(6, 0), 4 * HOUR, 4 * HOUR, queue=LONG),
    Job("backup-retention", "ops.proof.tasks.thin_out", daily(6, 30), HOUR, 4 * HOUR, queue=LONG, guarded=True),
    Job("backup-publish", "ops.proof.tasks.publish", quarterly(), 5 * MINUTE, 2 * HOUR, queue=LONG),
    # Copies of all else. Documents come after the database, so that each row of a backup has its object.
    Job("backup-config", "ops.archives.tasks.archive", daily(3, 0), HOUR, 4 * HOUR, ("config",), LONG, again=True),
    Job("backup-logs", "ops.archives.tasks.archive", daily(4, 0), HOUR, 4 * HOUR, ("logs",), LONG, again=True),
    Job("copy-new-documents", "ops.copies.tasks.documents", hourly(30), 30 * MINUTE, 2 * HOUR, ("copy",), LONG),
    Job("compare-document-copy", "ops.copies.tasks.documents", daily(5, 0, "mon-sat"), 4 * HOUR, 6 * HOUR,
        ("compare",), LONG),
    Job("read-document-copy", "ops.copies.tasks.documents", daily(5, 0, "sun"), 8 * HOUR, 6 * HOUR,
        ("read",), LONG),
    # Health.
    Job("ask-health", "ops.health.tasks.look", every(5), MINUTE, 10 * MINUTE),
    Job("check-integrity", "ops.health.tasks.look_deeply", daily(12, 0, "sun"), 4 * HOUR, 6 * HOUR, queue=LONG,
        severity="critical"),
    # Maintenance: before the night's backups, the rebuild on Sundays after them; the queue keeps them apart.
    Job("maintain-analyze", "ops.maintenance.tasks.keep", daily(0, 20), HOUR, 6 * HOUR, ("analyze",), LONG),
    Job("maintain-vacuum", "ops.maintenance.tasks.keep", daily(0, 40), HOUR, 6 * HOUR, ("vacuum",), LONG),
    Job("maintain-report", "ops.maintenance.tasks.report", daily(7, 0), 2 * HOUR, 6 * HOUR, queue=LONG),
    Job("maintain-reindex", "ops.maintenance.tasks.reindex", daily(7, 30, "sun"), 4 * HOUR, 6 * HOUR, queue=LONG,
        guarded=True),
)  # fmt: skip

BY_NAME = {job.name: job for job in JOBS}

# Packages whose module `tasks` holds background work.
TASK_PACKAGES = sorted({job.package for job in JOBS} | {"ops.schedule"})
PERFORM = "ops.schedule.tasks.perform"  # runs a job by its name


def beat_schedule() -> dict[str, dict[str, Any]]:
    """The timetable in the form that Celery's beat takes."""
    return {
        job.name: {
            "task": PERFORM,
            "schedule": job.when.turns,
            "args": (job.name,),
            "options": {"queue": job.queue, "expires": job.period.total_seconds()},
        }
        for job in JOBS
    }
