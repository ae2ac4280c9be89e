"""What the database remembers of the keys it was sealed with."""

from django.db import models
from django.utils import timezone


class SealingKey(models.Model):
    """A key that values were sealed with: its id and a fingerprint, from which the key cannot be found.

    A key is retired when a rotation has left no value under it; the key file may then do without it.
    """

    purpose = models.TextField(help_text="field or index")
    key_id = models.TextField(help_text="8 hex digits")
    fingerprint = models.BinaryField(max_length=16)
    first_used_at = models.DateTimeField(default=timezone.now)
    retired_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["purpose", "key_id"], name="sealingkey_one_of_each")]

    def __str__(self) -> str:
        return f"{self.purpose} {self.key_id}"
