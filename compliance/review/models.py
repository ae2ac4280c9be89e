"""What a review leaves: findings with their notes, the limits of the rules, and patients who are watched."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone
from uuid6 import uuid7

from healthrecords.crypto.fields import EncryptedTextField


class Verdict(models.TextChoices):
    """What a reviewer made of a finding; until then it is open."""

    OPEN = "open", "Open"
    EXPLAINED = "explained", "Explained"
    UNJUSTIFIED = "unjustified", "Not justified"


class Finding(models.Model):
    """What a rule found in the accesses of one person on one day, to one patient or (`patient` empty) to many.

    A rule that runs again over the same day brings an open finding up to date and leaves one that is signed off.
    """

    uuid = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    rule = models.TextField()
    day = models.DateField()
    person_id = models.TextField()
    person = models.TextField(help_text="The name as it was then.")
    patient = models.TextField(default="")
    reason = models.TextField()
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()
    count = models.PositiveIntegerField()
    events = ArrayField(models.UUIDField(), default=list, help_text="Events of the trail that show it, the first ones.")
    found_at = models.DateTimeField(default=timezone.now)
    verdict = models.TextField(choices=Verdict.choices, default=Verdict.OPEN)
    signed_by = models.TextField(default="")
    signed_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-first_at", "-uuid"]
        constraints = [
            models.UniqueConstraint(fields=["day", "person_id", "patient", "rule"], name="finding_once_a_day"),
            models.CheckConstraint(
                condition=models.Q(verdict="open", signed_at=None)
                | (~models.Q(verdict="open") & models.Q(signed_at__isnull=False)),
                name="finding_signed_or_open",
            ),
        ]
        indexes = [models.Index(fields=["verdict", "-first_at", "-uuid"], name="finding_waiting")]

    def __str__(self) -> str:
        return f"{self.person}, {self.day}"


class FindingNote(models.Model):
    """What somebody wrote about a finding, sealed, since it may tell of a patient. Notes are only added."""

    uuid = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    finding = models.ForeignKey(Finding, models.PROTECT, related_name="notes")
    text = EncryptedTextField()
    author = models.TextField()
    written_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["written_at", "uuid"]

    def __str__(self) -> str:
        return f"{self.author}, {self.written_at:%Y-%m-%d %H:%M}"


class ReviewLimit(models.Model):
    """A limit of the rules that differs from the one shipped (compliance.review.rules.LIMITS)."""

    name = models.TextField(primary_key=True)
    value = models.PositiveIntegerField()

    def __str__(self) -> str:
        return f"{self.name}: {self.value}"


class WatchedPatient(models.Model):
    """A patient whose every reader is looked at: staff, their families, people whom the public knows.

    Kept here and not in the chart, where the mark itself would draw looks.
    """

    patient = models.TextField(primary_key=True)
    reason = EncryptedTextField()
    added_by = models.TextField()
    added_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["added_at", "patient"]

    def __str__(self) -> str:
        return self.patient
