"""How each job stands, who lives, and what was told and is not over."""

from typing import Self

from django.db import models
from django.utils import timezone

from healthrecords.schedule import JOBS, Job

REMEMBERED = 8  # messages of the queue by which a job was begun: one that comes again is known


class Standing(models.Model):
    """How a job stands: the run that is running, and how the last one ended; ops.runs.Run keeps the runs before.

    A row for each job that changes with every run, so that a job of each minute leaves no row a minute.
    `outcome` is good, problem, error or interrupted, and empty before the first run has ended.
    """

    job = models.TextField(primary_key=True)
    since = models.DateTimeField(default=timezone.now)  # turns before it are nobody's fault
    handed = models.DateTimeField(null=True)  # when beat handed it out last
    messages = models.JSONField(default=list)
    running = models.BooleanField(default=False)
    begun = models.DateTimeField(null=True)
    by = models.TextField(default="")
    ended = models.DateTimeField(null=True)
    seconds = models.FloatField(null=True)
    outcome = models.TextField(default="")
    summary = models.TextField(default="")
    succeeded = models.DateTimeField(null=True)
    interruptions = models.PositiveSmallIntegerField(default=0)  # in a row

    class Meta:
        verbose_name = "scheduled job"

    def __str__(self) -> str:
        return self.job

    @classmethod
    def of(cls, job: Job) -> Self:
        """How a job stands; made now for one that is new."""
        return cls.objects.get_or_create(job=job.name)[0]

    @classmethod
    def all_by_name(cls) -> dict[str, Self]:
        """How every job of the timetable stands; rows of those that are new are made."""
        names = {job.name for job in JOBS}
        found = cls.objects.in_bulk(names)
        if new := names - found.keys():
            cls.objects.bulk_create([cls(job=name) for name in new], ignore_conflicts=True)
            found |= cls.objects.in_bulk(new)
        return found

    def begin(self, message: str, by: str) -> None:
        """Note that a run begins, and by which message of the queue; by none where it was not handed out."""
        self.messages = [*self.messages, message][-REMEMBERED:] if message else self.messages
        self.running, self.begun, self.by = True, timezone.now(), by
        self.save(update_fields=["messages", "running", "begun", "by"])

    def end(self, outcome: str, summary: str, seconds: float) -> None:
        """Note how the run ended."""
        now = timezone.now()
        self.running, self.ended, self.seconds = False, now, seconds
        self.outcome, self.summary, self.interruptions = outcome, summary, 0
        self.succeeded = now if outcome == "good" else self.succeeded
        self.save(update_fields=["running", "ended", "seconds", "outcome", "summary", "interruptions", "succeeded"])

    def interrupt(self, summary: str) -> None:
        """Note that the process of the run is gone."""
        self.running, self.ended, self.seconds = False, timezone.now(), None
        self.outcome, self.summary, self.interruptions = "interrupted", summary, self.interruptions + 1
        self.save(update_fields=["running", "ended", "seconds", "outcome", "summary", "interruptions"])


class Pulse(models.Model):
    """A process that says every few seconds that it lives: `beat`, or the worker of a queue (`worker celery`).

    `steady`: since when without a pause.
    """

    name = models.TextField(primary_key=True)
    time = models.DateTimeField()
    steady = models.DateTimeField()

    def __str__(self) -> str:
        return self.name

    @classmethod
    def all_by_name(cls) -> dict[str, Self]:
        """All that was ever heard."""
        return {pulse.name: pulse for pulse in cls.objects.all()}


class Trouble(models.Model):
    """Something that was told and is not over. `subject` is a job, `beat`, or the worker of a queue.

    `gone`: since when it was not seen any more; it is over when that has lasted.
    """

    subject = models.TextField(primary_key=True)
    kind = models.TextField()
    severity = models.TextField()
    since = models.DateTimeField(default=timezone.now)
    gone = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.subject}: {self.kind}"
