"""What an import leaves beside the records: resources kept for a later version, and how far a file has come."""

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


class ReplacedContent(models.Model):
    """A content that an import brought and that a later one replaced: met again, it changes nothing."""

    uuid = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    resource_type = models.TextField()
    logical_id = models.TextField()
    digest = models.BinaryField(help_text="SHA-256 of the resource as sent.")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["resource_type", "logical_id", "digest"], name="replacedcontent_one_of_each"
            )
        ]

    def __str__(self) -> str:
        return f"{self.resource_type}/{self.logical_id}"


class ImportProgress(models.Model):
    """How far the import of one file has come, by the file's content: an interrupted import goes on from there."""

    file_digest = models.TextField(primary_key=True, help_text="SHA-256 of the file and the source's name, in hex.")
    done = models.PositiveBigIntegerField(default=0, help_text="Resources at the file's beginning that are dealt with.")
    counts = models.JSONField(default=dict, help_text="What became of them: outcome, then resource type, a number.")
    updated_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"{self.file_digest[:12]}: {self.done}"
