"""Resources of types that are not served yet, kept until a later version takes them up."""

from django.db import models
from uuid6 import uuid7

from healthrecords.crypto.fields import EncryptedTextField


class KeptResource(models.Model):
    """A resource as an import brought it; sealed, since it may be about a patient."""

    uuid = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    source = models.TextField()
    resource_type = models.TextField()
    logical_id = models.TextField()
    digest = models.BinaryField(help_text="SHA-256 of the resource as sent.")
    content = EncryptedTextField()
    kept_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["resource_type", "logical_id", "source"], name="keptresource_one_of_each")
        ]

    def __str__(self) -> str:
        return f"{self.resource_type}/{self.logical_id}"
