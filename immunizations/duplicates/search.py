"""Look for duplicate doses over all patients: after newer code tables, or to make sure."""

from collections.abc import Callable
from typing import Any

from django.db import transaction

from immunizations.duplicates.following import Changes, refresh
from immunizations.duplicates.models import DuplicatePair
from immunizations.models import Immunization

BATCH = 500  # patients of one transaction


def patients(patient: str = "") -> list[str]:
    """The patients who have doses or pairs, in order; only the one named, if one is."""
    if patient:
        return [patient]
    both: list[Any] = [Immunization.objects.live(), DuplicatePair.objects.all()]
    return sorted({key for rows in both for key in rows.order_by().values_list("patient_id", flat=True).distinct()})


def search(ids: list[str], advance: Callable[[float], None] = lambda _: None) -> Changes:
    """Work out the pairs of these patients, batch by batch; tells `advance` how many are done."""
    changes = Changes()
    for start in range(0, len(ids), BATCH):
        batch = ids[start : start + BATCH]
        with transaction.atomic():
            changes += refresh(batch)
        advance(len(batch))
    return changes
