"""The timetable: turns, periods, and that the worker knows each job."""

from datetime import UTC, datetime

import pytest

from healthrecords.celery import app
from healthrecords.schedule import (
    BY_NAME,
    DAY,
    HOUR,
    JOBS,
    LONG,
    MINUTE,
    Job,
    beat_schedule,
    daily,
    every,
    hourly,
    quarterly,
)

# The runbook's backup schedule and its daily checks (docs/runbooks), by hand.
RUNBOOK = {
    "backup-full": "daily 02:00",
    "backup-incremental": "hourly",
    "backup-archive": "Sunday 01:00",
    "backup-config": "daily 03:00",
    "backup-logs": "daily 04:00",
    "read-document-copy": "Sunday 05:00",
    "backup-test": "daily 04:30",
    "backup-verify": "daily 06:00",
    "backup-retention": "daily 06:30",
    "verify-audit-trail": "daily 02:30",
}


def test_every_name_is_given_once():
    assert len(BY_NAME) == len(JOBS)


@pytest.mark.parametrize("job", JOBS, ids=lambda job: job.name)
def test_the_worker_knows_the_work_of_each_job(job):
    app.loader.import_default_modules()
    assert job.task in app.tasks


@pytest.mark.parametrize(("name", "said"), RUNBOOK.items())
def test_the_runbooks_times_are_kept(name, said):
    day, clock = said.split() if " " in said else ("hourly", "")
    turn = BY_NAME[name].turn_after(datetime(2026, 11, 25, 12, tzinfo=UTC))
    assert {"daily": DAY, "Sunday": 7 * DAY, "hourly": HOUR}[day] == BY_NAME[name].period
    assert f"{turn:%H:%M}" == (clock or f"{turn:%H:%M}")
    assert day != "Sunday" or turn.isoweekday() == 7


@pytest.mark.parametrize(
    ("when", "moment", "turn", "period"),
    [
        (every(5), "2026-01-01 00:00:30", "2026-01-01 00:05:30", 5 * MINUTE),
        (hourly(15), "2026-01-01 00:15", "2026-01-01 01:15", HOUR),
        (quarterly(), "2026-01-01 00:59", "2026-01-01 01:00", 15 * MINUTE),
        (daily(2, 0), "2026-12-31 02:00", "2027-01-01 02:00", DAY),
        (daily(5, 0, "mon-sat"), "2026-11-28 05:00", "2026-11-30 05:00", DAY),
        (daily(1, 0, "sun"), "2026-11-23 00:00", "2026-11-29 01:00", 7 * DAY),
    ],
)
def test_the_next_turn_follows_from_the_time_and_from_nothing_else(when, moment, turn, period):
    job = Job("x", "x.tasks.x", when, MINUTE, MINUTE)
    at, expected = (datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (moment, turn))
    assert job.turn_after(at) == expected
    assert job.period == period


def test_a_run_that_nobody_began_leaves_the_queue_to_the_next():
    entry = beat_schedule()["backup-incremental"]
    assert entry["options"] == {"queue": LONG, "expires": 3600}
