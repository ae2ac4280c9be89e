"""Seals over the trail, and how far they have come to each place outside the database."""

from django.db import models


class AuditSeal(models.Model):
    """One signed statement of the chain: a batch of events, a new epoch, or a removal of old events.

    `body` is the text that was signed; it holds everything that the other columns repeat for queries. `leaves` names
    the events of a batch, 40 bytes each: the number of the event and the hash of its leaf, to say which one differs.
    """

    number = models.BigIntegerField(primary_key=True)
    epoch = models.IntegerField()
    kind = models.TextField()
    time = models.DateTimeField()
    count = models.IntegerField()
    body = models.TextField()
    hash = models.BinaryField()
    key = models.TextField()
    signature = models.BinaryField()
    leaves = models.BinaryField()

    class Meta:
        ordering = ["number"]
        indexes = [models.Index(fields=["epoch"], condition=models.Q(kind="epoch"), name="auditseal_epoch")]

    def __str__(self) -> str:
        return f"{self.kind} {self.number}"


class AuditShipment(models.Model):
    """How far the seals have come to a place (the object store, the witness), and what keeps the next one."""

    place = models.TextField(primary_key=True)
    number = models.BigIntegerField(default=0)
    shipped_at = models.DateTimeField(null=True)
    fault = models.TextField(default="")

    def __str__(self) -> str:
        return f"{self.place}: {self.number}"
