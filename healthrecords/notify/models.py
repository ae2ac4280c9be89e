"""The outbox, and whom it goes to: notices, channels, the routes between them, and one delivery for each way."""

from django.db import models
from django.utils import timezone
from uuid6 import uuid7

from healthrecords.crypto.fields import EncryptedTextField


class Severity(models.TextChoices):
    """How soon somebody must look."""

    CRITICAL = "critical", "Critical"
    WARNING = "warning", "Warning"
    INFO = "info", "Info"


class State(models.TextChoices):
    """What became of a delivery."""

    WAITING = "waiting", "Waiting"
    SENT = "sent", "Sent"
    FAILED = "failed", "Given up"


class Channel(models.Model):
    """A way to reach people. Its address holds the secret of a service: it is sealed, and never shown again."""

    uuid = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.TextField(unique=True)
    service = models.TextField(help_text="What the address leads to, such as Slack.")
    address = EncryptedTextField()
    enabled = models.BooleanField(default=True)
    made_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Route(models.Model):
    """What a channel is told: notices of a severity, and of events that begin with a word; empty is any."""

    channel = models.ForeignKey(Channel, models.CASCADE, related_name="routes")
    severity = models.TextField(choices=Severity.choices, blank=True, default="")
    event = models.TextField(blank=True, default="", help_text="backup stands for backup.failed and its kin.")

    class Meta:
        ordering = ["channel__name", "severity", "event"]
        constraints = [models.UniqueConstraint(fields=["channel", "severity", "event"], name="route_once")]

    def __str__(self) -> str:
        said = Severity(self.severity).label.lower() if self.severity else "every severity"
        return f"{said}, {self.event or 'every event'}"

    def takes(self, notice: "Notice") -> bool:
        """Whether the notice goes this way."""
        by_event = not self.event or f"{notice.event}.".startswith(f"{self.event}.")
        return by_event and self.severity in ("", notice.severity)


class Notice(models.Model):
    """One thing that people are told. `key` is the same for the same trouble; `count` how often it was told."""

    uuid = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    event = models.TextField()
    severity = models.TextField(choices=Severity.choices)
    summary = models.TextField()
    facts = models.JSONField(default=dict)
    key = models.BinaryField()
    count = models.PositiveIntegerField(default=1)
    told_at = models.DateTimeField(default=timezone.now)
    last_at = models.DateTimeField(default=timezone.now)
    routed_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-told_at", "-uuid"]
        indexes = [
            models.Index(fields=["-told_at", "-uuid"], name="notice_newest"),
            models.Index(fields=["told_at"], name="notice_not_routed", condition=models.Q(routed_at=None)),
            models.Index(fields=["key", "routed_at"], name="notice_same"),
        ]

    def __str__(self) -> str:
        return self.summary


class Delivery(models.Model):
    """A notice on its way to a channel; without one it goes to operators and administrators by mail."""

    uuid = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    notice = models.ForeignKey(Notice, models.CASCADE, related_name="deliveries")
    channel = models.ForeignKey(Channel, models.CASCADE, null=True, related_name="deliveries")
    state = models.TextField(choices=State.choices, default=State.WAITING)
    tries = models.PositiveSmallIntegerField(default=0)
    next_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True)
    reason = models.TextField(blank=True, default="", help_text="Why the last try failed.")

    class Meta:
        verbose_name_plural = "deliveries"
        ordering = ["uuid"]
        constraints = [
            models.UniqueConstraint(fields=["notice", "channel"], nulls_distinct=False, name="delivery_once")
        ]
        indexes = [
            models.Index(fields=["next_at"], name="delivery_due", condition=models.Q(state=State.WAITING)),
            models.Index(fields=["ended_at"], name="delivery_failed", condition=models.Q(state=State.FAILED)),
        ]

    def __str__(self) -> str:
        return f"{self.notice_id} to {self.channel_name}"

    @property
    def channel_name(self) -> str:
        """What the way is called."""
        return self.channel.name if self.channel else DEFAULT


DEFAULT = "operators by mail"
