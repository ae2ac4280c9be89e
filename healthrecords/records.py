"""What every record is: an id that integrators keep, versions that stay, a deletion that can be seen."""

from typing import Any, Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone
from uuid6 import uuid7

from healthrecords.crypto.fields import EncryptedJSONField, EncryptedTextField


class RecordVersion(models.Model):
    """One version of one record, rendered once when it was written; reads and history serve exactly this.

    `content` is the FHIR JSON with id and meta, sealed as a whole because identifiers, narrative and contained
    resources may repeat a national id. A deletion is a version without content.
    """

    class Interaction(models.TextChoices):
        CREATE = "create"
        UPDATE = "update"
        DELETE = "delete"

    uuid = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    resource_type = models.TextField()
    logical_id = models.TextField()
    version = models.PositiveIntegerField()
    interaction = models.TextField(choices=Interaction.choices)
    recorded_at = models.DateTimeField(default=timezone.now)
    author = models.TextField(help_text="Name of the person, token or job that wrote it, as it was then.")
    patients = ArrayField(models.TextField(), default=list, help_text="Logical ids of the patients it is about.")
    labels = ArrayField(models.TextField(), default=list, help_text="Its security labels, as `system|code`.")
    content = EncryptedTextField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["resource_type", "logical_id", "version"], name="recordversion_one_of_each")
        ]
        indexes = [models.Index(fields=["resource_type", "-recorded_at", "-uuid"], name="recordversion_history")]

    def __str__(self) -> str:
        return f"{self.resource_type}/{self.logical_id}/_history/{self.version}"


class RecordQuerySet(models.QuerySet[Any]):
    """Rows of one record type."""

    def live(self) -> Self:
        """Those that are not deleted."""
        return self.filter(deleted_at=None)


class Record(models.Model):
    """Base of patients, directory entries and, later, immunizations and documents.

    `extra` keeps what FHIR sent and no column models, so that a resource comes out as it went in.
    """

    uuid = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    logical_id = models.TextField(unique=True, editable=False)
    version = models.PositiveIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(default=timezone.now, editable=False, db_index=True)
    deleted_at = models.DateTimeField(null=True, editable=False)
    current = models.ForeignKey(
        RecordVersion, models.DO_NOTHING, null=True, editable=False, related_name="+", db_index=False
    )
    source = models.TextField(default="", editable=False, help_text="Who brought the id: api:…, admin, import:….")
    source_digest = models.BinaryField(null=True, help_text="SHA-256 of the resource as the import last brought it.")
    source_version = models.PositiveIntegerField(null=True, editable=False)
    extra = EncryptedJSONField()

    objects = RecordQuerySet.as_manager()

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.assign_id()
        self.derive()
        super().save(*args, **kwargs)

    def assign_id(self) -> None:
        """Take the key's text as logical id where none was given."""
        self.logical_id = self.logical_id or str(self.uuid)

    def derive(self) -> None:
        """Work out the columns that search and lists need from those that were entered."""

    def get_additional_data(self) -> dict[str, str]:
        """What django-auditlog keeps beside a change: which record it belongs to."""
        return {"record": str(self.pk)}

    def patient_ids(self) -> list[str]:
        """Logical ids of the patients that this record is about; a directory entry has none."""
        return []

    @classmethod
    def about(cls, patient: str) -> models.Q:
        """The condition on records that are about the patient with this logical id and about nobody else."""
        return models.Q(current__patients=[patient])


class Part(models.Model):
    """A repeated element of a record (a name, an address) as a row of its own, in the order it was sent."""

    uuid = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    position = models.PositiveSmallIntegerField(default=0, editable=False)
    extra = EncryptedJSONField()

    class Meta:
        abstract = True
        ordering = ["position", "uuid"]

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.derive()
        super().save(*args, **kwargs)

    def get_additional_data(self) -> dict[str, str]:
        """What django-auditlog keeps beside a change: which record it belongs to."""
        return {"record": str(getattr(self, "record_id", ""))}

    def derive(self) -> None:
        """Work out the columns that search needs from those that were entered."""
