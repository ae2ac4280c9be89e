"""Consents, and what the predicate reads of them: provisions as rows, and the people whom each consent covers."""

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.utils import timezone
from uuid6 import uuid7

from healthrecords.fhir import datatypes as d
from healthrecords.fhir.primitives import span
from patients.models import Patient


class Status(models.TextChoices):
    """R4 consent-state-codes."""

    DRAFT, PROPOSED, ACTIVE = "draft", "proposed", "active"
    REJECTED, INACTIVE, ENTERED_IN_ERROR = "rejected", "inactive", "entered-in-error"


class Consent(d.CodedRecord):
    """What a patient permits and forbids (R4 Consent, in the shapes of IHE PCF Intermediate).

    The provisions stay in the resource as they were sent; `Provision` and `Coverage` are worked out of them.
    """

    status = models.TextField(choices=Status.choices, default=Status.DRAFT)
    patient = models.ForeignKey(
        Patient, models.DO_NOTHING, to_field="logical_id", db_constraint=False, db_index=False, related_name="+"
    )
    date = models.CharField("given on", max_length=40, blank=True, default="", validators=[d.check_partial_date])
    date_from = models.DateTimeField(null=True, editable=False)
    date_until = models.DateTimeField(null=True, editable=False, db_index=True)
    period_start = models.CharField("from", max_length=40, blank=True, default="")
    period_end = models.CharField("until", max_length=40, blank=True, default="")
    period_from = models.DateTimeField(null=True, editable=False, db_index=True)
    period_until = models.DateTimeField(null=True, editable=False, db_index=True)
    links = ArrayField(models.TextField(), default=list, editable=False)

    class Meta:
        ordering = ["-date_from", "-uuid"]
        indexes = [
            models.Index(fields=["patient", "date_from"], name="consent_of_patient"),
            models.Index(fields=["status", "uuid"], name="consent_by_status"),
            d.tokens_index("consent_tokens"),
            GinIndex(fields=["links"], name="consent_links"),
        ]

    def __str__(self) -> str:
        return f"consent of {self.date}".strip()

    def patient_ids(self) -> list[str]:
        return [self.patient_id]

    @classmethod
    def about(cls, patient: str) -> models.Q:
        return models.Q(patient_id=patient)

    def derive(self) -> None:
        self.date_from, self.date_until = span(self.date) if self.date else (None, None)
        self.period_from, self.period_until = d.period_span(self.period_start, self.period_end)


class ConsentIdentifier(d.Identifier):
    record = models.ForeignKey(Consent, models.CASCADE, related_name="identifiers")

    class Meta(d.Identifier.Meta):
        indexes = d.indexes("identifier", "consentid")


class Provision(models.Model):
    """One provision of an active consent. A criterion that is absent (NULL) matches everything."""

    uuid = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    consent = models.ForeignKey(Consent, models.CASCADE, related_name="provisions")
    parent = models.ForeignKey("self", models.CASCADE, null=True, related_name="children")
    denies = models.BooleanField()
    actors = ArrayField(models.TextField(), null=True, help_text="`Type/id`, or `role:name`.")
    purposes = ArrayField(models.TextField(), null=True)
    classes = ArrayField(models.TextField(), null=True)
    labels = ArrayField(models.TextField(), null=True, help_text="`system|code`")
    starts_at = models.DateTimeField(null=True)
    ends_at = models.DateTimeField(null=True, help_text="The first instant that is no longer in the period.")

    def __str__(self) -> str:
        return "deny" if self.denies else "permit"


class Coverage(models.Model):
    """A patient whom an active consent covers: its own, and those that were merged with that person."""

    patient = models.TextField("logical id")
    consent = models.ForeignKey(Consent, models.CASCADE, related_name="coverage")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["patient", "consent"], name="coverage_one_of_each")]

    def __str__(self) -> str:
        return f"Patient/{self.patient}"


class AbsoluteMark(models.Model):
    """A compliance officer's mark that the denials of a consent bind by law: no break-glass overrides them."""

    consent = models.OneToOneField(Consent, models.CASCADE, primary_key=True, related_name="absolute")
    marked_by = models.TextField()
    marked_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"absolute, by {self.marked_by}"


class PurposeDefault(models.Model):
    """What holds for a purpose of use where no consent says anything. A purpose without a row is denied."""

    purpose = models.TextField(primary_key=True)
    permits = models.BooleanField()

    class Meta:
        ordering = ["purpose"]

    def __str__(self) -> Any:
        return f"{self.purpose}: {'permit' if self.permits else 'deny'}"
