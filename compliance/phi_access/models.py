"""The rows of the access log. The application may add and read them; nobody changes or removes one."""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from uuid6 import uuid7

from healthrecords.crypto.fields import EncryptedTextField


class AccessEvent(models.Model):
    """Who did what to which patient's data, when, from where and for what purpose (45 CFR 164.312(b), 164.528).

    Holds ids and copies of actor names, no clinical values; the text of a search is sealed, since it holds names.
    The table is made by compliance.audit.schema, in monthly partitions, and written through `audit_append` alone,
    which stamps time, epoch, transaction, number and database role.
    """

    uuid = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    epoch = models.IntegerField()
    txid = models.BigIntegerField()
    seq = models.BigIntegerField()
    written_by = models.TextField()
    time = models.DateTimeField()
    action = models.TextField()
    outcome = models.TextField()
    actor_kind = models.TextField()
    actor_id = models.TextField()
    actor = models.TextField()
    roles = ArrayField(models.TextField())
    purpose = models.TextField()
    address = models.TextField()
    request = models.TextField()
    route = models.TextField()
    resource_type = models.TextField()
    patient = models.TextField(null=True)
    resources = ArrayField(models.TextField())
    versions = ArrayField(models.IntegerField())
    detail = models.TextField()
    query = EncryptedTextField()
    query_mac = models.BinaryField(null=True)

    class Meta:
        ordering = ["time", "uuid"]
        indexes = [
            models.Index(fields=["patient", "time"], name="accessevent_patient"),
            models.Index(fields=["actor", "time"], name="accessevent_actor"),
            models.Index(fields=["actor_id", "time"], name="accessevent_actor_id"),
            models.Index(fields=["time"], name="accessevent_time"),
            GinIndex(fields=["resources"], name="accessevent_resources"),
            models.Index(fields=["epoch", "txid", "seq"], name="accessevent_sealing"),
        ]

    def __str__(self) -> str:
        return f"{self.time:%Y-%m-%d %H:%M:%S} {self.actor} {self.action}"
