"""An alert from its first firing to its end; and when Alertmanager was last heard."""

from datetime import datetime

from django.db import models
from django.utils import timezone
from uuid6 import uuid7

from healthrecords.notify.models import Severity


class Alert(models.Model):
    """One firing of an alert. `fingerprint` is Alertmanager's: the same for the same labels."""

    uuid = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    fingerprint = models.TextField()
    name = models.TextField()
    severity = models.TextField(choices=Severity.choices)
    labels = models.JSONField(default=dict)
    summary = models.TextField(blank=True, default="")
    runbook = models.TextField(blank=True, default="")
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    heard_at = models.DateTimeField()
    told_at = models.DateTimeField(null=True)

    class Meta:
        ordering = [models.F("ended_at").desc(nulls_first=True), "-started_at"]
        constraints = [models.UniqueConstraint(fields=["fingerprint", "started_at"], name="alert_once")]
        indexes = [
            models.Index(
                models.F("ended_at").desc(nulls_first=True), models.F("started_at").desc(), name="alert_open_first"
            )
        ]

    def __str__(self) -> str:
        return self.name


class Watchdog(models.Model):
    """The one row of it: when the alert that always fires was last heard, or else since when it is waited for."""

    number = models.PositiveSmallIntegerField(primary_key=True, default=1)
    heard_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(number=1), name="watchdog_one_row")]

    def __str__(self) -> str:
        return "Watchdog"

    @classmethod
    def last_heard(cls) -> datetime | None:
        """When it was heard last; None where no Alertmanager is known."""
        return cls.objects.values_list("heard_at", flat=True).first()
