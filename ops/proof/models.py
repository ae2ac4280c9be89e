"""What was last published of the backups: the console and the metrics have no way to the repository itself."""

from typing import Any

from django.db import models


class Backups(models.Model):
    """The one row of it. `data` as ops.proof.publishing writes it."""

    number = models.PositiveSmallIntegerField(primary_key=True, default=1)
    time = models.DateTimeField()
    data = models.JSONField()

    class Meta:
        verbose_name = verbose_name_plural = "backups"
        constraints = [models.CheckConstraint(condition=models.Q(number=1), name="backups_one_row")]

    def __str__(self) -> str:
        return "Backups"

    @classmethod
    def published(cls) -> dict[str, Any] | None:
        """What was published last; None before the first."""
        return cls.objects.values_list("data", flat=True).first()
