"""Provenance with its targets, agents and entities."""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models

from healthrecords.directory.models import Location
from healthrecords.fhir import datatypes as d
from healthrecords.fhir.primitives import span
from healthrecords.records import Part


class Provenance(d.CodedRecord):
    """Where records came from and who had a hand in them (R4 Provenance).

    It is about the patients of its targets; `patients` holds their logical ids, sorted.
    """

    recorded = models.CharField(max_length=40, blank=True, default="", validators=[d.check_partial_date])
    recorded_at = models.DateTimeField(null=True, editable=False, db_index=True)
    occurred = models.CharField(max_length=40, blank=True, default="", validators=[d.check_partial_date])
    period_start = models.CharField("from", max_length=40, blank=True, default="", validators=[d.check_partial_date])
    period_end = models.CharField("until", max_length=40, blank=True, default="", validators=[d.check_partial_date])
    occurred_from = models.DateTimeField(null=True, editable=False, db_index=True)
    occurred_until = models.DateTimeField(null=True, editable=False, db_index=True)
    activity = models.TextField(blank=True, default="")
    location = models.ForeignKey(
        Location, models.DO_NOTHING, to_field="logical_id", db_constraint=False, null=True, blank=True, related_name="+"
    )
    patients = ArrayField(models.TextField(), default=list, editable=False)

    class Meta:
        ordering = ["-recorded_at", "-uuid"]
        indexes = [GinIndex(fields=["patients"], name="provenance_patients"), d.tokens_index("provenance_tokens")]

    def __str__(self) -> str:
        return f"provenance of {self.recorded}"

    def patient_ids(self) -> list[str]:
        return list(self.patients)

    @classmethod
    def about(cls, patient: str) -> models.Q:
        return models.Q(patients__contains=[patient], patients=[patient])  # the index serves the first

    def derive(self) -> None:
        self.recorded_at = span(self.recorded)[0] if self.recorded else None
        start, end = self.period_start or self.occurred, self.period_end or self.occurred
        self.occurred_from, self.occurred_until = d.period_span(start, end)


class ProvenanceTarget(d.ReferencePart):
    """A record that the provenance is about."""

    record = models.ForeignKey(Provenance, models.CASCADE, related_name="targets")

    class Meta(d.ReferencePart.Meta):
        indexes = d.indexes("reference", "provtarget")


class ProvenanceAgent(Part):
    """A person, organization or device that had a hand in it."""

    record = models.ForeignKey(Provenance, models.CASCADE, related_name="agents")
    type = models.TextField("taking part as", blank=True, default="")
    who_type = models.CharField(max_length=64, blank=True, default="")
    who_id = models.CharField(max_length=64, blank=True, default="")
    who_display = models.TextField("shown as", blank=True, default="")
    on_behalf_of_type = models.CharField(max_length=64, blank=True, default="")
    on_behalf_of_id = models.CharField(max_length=64, blank=True, default="")

    class Meta(Part.Meta):
        indexes = [models.Index(fields=["who_id", "who_type"], name="provagent_who")]

    def __str__(self) -> str:
        return self.who_display or "/".join(self.who or ())

    @property
    def who(self) -> tuple[str, str] | None:
        """Type and logical id of the agent, if the reference names them."""
        return (self.who_type, self.who_id) if self.who_id else None

    @who.setter
    def who(self, pair: tuple[str, str]) -> None:
        self.who_type, self.who_id = pair

    @property
    def on_behalf_of(self) -> tuple[str, str] | None:
        """Type and logical id of whom the agent acted for, if the reference names them."""
        return (self.on_behalf_of_type, self.on_behalf_of_id) if self.on_behalf_of_id else None

    @on_behalf_of.setter
    def on_behalf_of(self, pair: tuple[str, str]) -> None:
        self.on_behalf_of_type, self.on_behalf_of_id = pair


class ProvenanceEntity(d.ReferencePart):
    """What the activity used: a source, an earlier revision."""

    record = models.ForeignKey(Provenance, models.CASCADE, related_name="entities")
    role = models.TextField(blank=True, default="")

    class Meta(d.ReferencePart.Meta):
        indexes = d.indexes("reference", "proventity")
