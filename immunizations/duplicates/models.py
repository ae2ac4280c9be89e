"""Pairs of doses that may be one dose recorded twice."""

from typing import Any

from django.db import models
from django.utils import timezone
from uuid6 import uuid7

from immunizations.duplicates.decision import Finding, Reason
from patients.models import Patient


class Verdict(models.TextChoices):
    """What holds for a pair: the finding, or what a person decided."""

    CERTAIN = "certain", "One dose, recorded twice"
    REVIEW = "review", "Waits for a person"
    NOT_DUPLICATE = "not-duplicate", "Two doses"


def _dose(indexed: bool = False) -> Any:
    return models.ForeignKey(
        "immunizations.Immunization",
        models.DO_NOTHING,
        to_field="logical_id",
        db_constraint=False,
        db_index=indexed,
        related_name="+",
    )


class DuplicatePair(models.Model):
    """A link between two doses of one patient; both records stay as they are.

    `finding` is what the rule says and `verdict` what holds. `counts` is the dose that counts where it is one dose.
    `decided_by` and `decided_at` are empty until a person decides.
    """

    uuid = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    patient = models.ForeignKey(
        Patient, models.DO_NOTHING, to_field="logical_id", db_constraint=False, related_name="+"
    )
    first = _dose()
    second = _dose(indexed=True)
    reason = models.TextField(choices=Reason.choices)
    finding = models.TextField(choices=Finding.choices)
    verdict = models.TextField(choices=Verdict.choices)
    counts = _dose()
    found_at = models.DateTimeField(default=timezone.now)
    decided_by = models.TextField(blank=True, default="")
    decided_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["found_at", "uuid"]
        indexes = [models.Index(fields=["verdict", "found_at", "uuid"], name="duplicatepair_waiting")]
        constraints = [models.UniqueConstraint(fields=["first", "second"], name="duplicatepair_once")]

    def __str__(self) -> str:
        return f"{self.first_id} and {self.second_id}: {self.verdict}"

    @property
    def is_decided(self) -> bool:
        """Whether a person has decided."""
        return self.decided_at is not None
