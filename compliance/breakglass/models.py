"""Emergency access: one person, one patient, one hour."""

from django.db import models
from django.utils import timezone
from uuid6 import uuid7

from healthrecords.crypto.fields import EncryptedTextField


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

    class Meta:
        ordering = ["-opened_at"]
        indexes = [models.Index(fields=["actor_kind", "actor_id", "patient"], name="breakglass_of_actor")]

    def __str__(self) -> str:
        return f"{self.actor}, Patient/{self.patient}"
