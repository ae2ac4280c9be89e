"""Emergency access: one person, one patient, one hour; and what the privacy officer found about it."""

from datetime import datetime, timedelta

from django.db import models
from django.utils import timezone
from uuid6 import uuid7

from healthrecords.crypto.fields import EncryptedTextField

REVIEW_WITHIN = timedelta(hours=72)


class Outcome(models.TextChoices):
    """What a review finds."""

    JUSTIFIED = "justified", "Justified"
    NOT_JUSTIFIED = "not-justified", "Not justified"
    FOLLOW_UP = "follow-up", "To be followed up"


class BreakGlass(models.Model):
    """A person's (or token's) own declaration of an emergency, while which ETREAT shows them that patient's records."""

    uuid = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    actor_kind = models.TextField()
    actor_id = models.TextField()
    actor = models.TextField(help_text="Name of the person or token, as it was then.")
    patient = models.TextField("logical id")
    reason = EncryptedTextField()
    opened_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    notified_at = models.DateTimeField(null=True, help_text="When the privacy officers' mail was taken.")
    outcome = models.TextField(choices=Outcome.choices, blank=True, default="")
    notes = EncryptedTextField()
    reviewer_id = models.TextField(blank=True, default="")
    reviewer = models.TextField(blank=True, default="")
    reviewed_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "emergency access"
        ordering = ["-opened_at"]
        indexes = [
            models.Index(fields=["actor_kind", "actor_id", "patient"], name="breakglass_of_actor"),
            models.Index(fields=["opened_at"], name="breakglass_open", condition=models.Q(reviewed_at=None)),
        ]

    def __str__(self) -> str:
        return f"{self.actor}, Patient/{self.patient}"

    @property
    def review_due(self) -> datetime:
        """When a privacy officer must have looked at it."""
        return self.opened_at + REVIEW_WITHIN

    @property
    def is_overdue(self) -> bool:
        """Whether the review is late."""
        return self.reviewed_at is None and timezone.now() > self.review_due

    def is_live(self) -> bool:
        """Whether it opens anything now."""
        return self.ended_at is None and self.opened_at <= timezone.now() < self.expires_at
