"""Disclosures that the trail cannot know of: made by letter, telephone or fax, and entered by hand."""

from django.db import models
from django.utils import timezone
from uuid6 import uuid7

from healthrecords.crypto.fields import EncryptedTextField


class EnteredDisclosure(models.Model):
    """One disclosure that somebody made outside of this server (45 CFR 164.528(b)(2)). Its words are sealed."""

    uuid = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    patient = models.TextField(db_index=True)
    made_on = models.DateField()
    recipient = EncryptedTextField()
    address = EncryptedTextField()
    description = EncryptedTextField()
    purpose = EncryptedTextField()
    entered_by = models.TextField()
    entered_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["made_on", "uuid"]

    def __str__(self) -> str:
        return f"Disclosure of {self.made_on}"
