"""What Prometheus reads of the timetable."""

from collections.abc import Iterator, Mapping

from django.utils import timezone
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from .judging import BEAT, INTERRUPTED, LATE, LONG
from .status import Stands, all_jobs, processes

OUTCOMES = {"good": 0, "problem": 1, "error": 2, INTERRUPTED: 2}


class ScheduleCollector(Collector):
    """Asks the database at each scrape; without an answer there are no figures, which is an alarm by itself."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """The gauges of jobs and processes; one that is not known is left out."""
        now = timezone.now()
        jobs, heard = all_jobs(now), {each["process"]: each["heard"] for each in processes(now)}
        yield from _of_jobs(jobs)
        beat = heard.pop(BEAT)
        if beat is not None:
            yield GaugeMetricFamily("schedule_beat_age_seconds", "Seconds since the timetable was heard.", value=beat)
        queues = {name.partition(" ")[2]: age for name, age in heard.items()}
        yield _gauge("schedule_worker_age_seconds", "Seconds since a worker was heard.", "queue", queues)


def _of_jobs(jobs: list[Stands]) -> Iterator[GaugeMetricFamily]:
    known = {each.job.name: each.known for each in jobs}
    now = timezone.now()
    ages = {job: (now - each.succeeded).total_seconds() if each.succeeded else None for job, each in known.items()}
    overdue = {each.job.name: int(each.trouble in (LATE, LONG)) for each in jobs}
    outcomes = {job: OUTCOMES.get(each.outcome) for job, each in known.items()}
    seconds = {job: each.seconds for job, each in known.items()}
    yield _gauge("schedule_job_overdue", "1 where a job was not begun in its time, or runs too long.", "job", overdue)
    yield _gauge("schedule_job_last_outcome", "0 good, 1 a problem was found, 2 it failed.", "job", outcomes)
    yield _gauge("schedule_job_last_success_age_seconds", "Seconds since a job last ended well.", "job", ages)
    yield _gauge("schedule_job_last_duration_seconds", "Seconds that its last run took.", "job", seconds)


def _gauge(name: str, words: str, label: str, values: Mapping[str, float | None]) -> GaugeMetricFamily:
    made = GaugeMetricFamily(name, words, labels=[label])
    for key, value in values.items():
        if value is not None:
            made.add_metric([key], value)
    return made
