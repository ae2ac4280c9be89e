"""What was loaded, and every version of every row: a code that CDC retires stays known, with what it used to say."""

from django.db import models
from django.utils import timezone


class CodeTable(models.TextChoices):
    """The tables, by the names that commands and rows use."""

    CVX = "cvx", "Vaccines (CVX)"
    MVX = "mvx", "Manufacturers (MVX)"
    TRADE_NAME = "trade-name", "Trade names"
    GROUP = "vaccine-group", "Vaccine groups"
    UNIT_OF_USE = "ndc-use", "NDC units of use"
    UNIT_OF_SALE = "ndc-sale", "NDC units of sale"
    UNIT_LINK = "ndc-link", "NDC links"
    VIS = "vis", "Information statements (VIS)"
    VIS_OF_VACCINE = "vis-vaccine", "Statements of vaccines"
    VIS_ADDRESS = "vis-address", "Addresses of statements"


class CodeRelease(models.Model):
    """One file as it was loaded into one table."""

    table = models.TextField(choices=CodeTable.choices)
    source = models.TextField(help_text="The name of the file.")
    as_of = models.DateField(help_text="The day for which the file speaks.")
    newest_change = models.DateField(null=True, help_text="The newest change that the file itself tells.")
    rows = models.PositiveIntegerField()
    added = models.PositiveIntegerField()
    changed = models.PositiveIntegerField()
    retired = models.PositiveIntegerField()
    loaded_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-pk"]
        indexes = [models.Index(fields=["table", "-id"], name="coderelease_latest")]

    def __str__(self) -> str:
        return f"{self.table} of {self.as_of}"


class CodeRow(models.Model):
    """One row of a table, from the release that brought it until the one that replaced it (none: it holds now)."""

    table = models.TextField(choices=CodeTable.choices)
    key = models.TextField(help_text="What names the row within its table.")
    fields = models.JSONField(help_text="The columns of the file, as text.")
    retired = models.BooleanField(default=False, help_text="The newest file no longer lists it.")
    since = models.ForeignKey(CodeRelease, models.PROTECT, related_name="+")
    until = models.ForeignKey(CodeRelease, models.PROTECT, related_name="+", null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["table", "key"], condition=models.Q(until=None), name="coderow_one_holds_now"
            )
        ]
        indexes = [models.Index(fields=["table", "key"], name="coderow_history")]

    def __str__(self) -> str:
        return f"{self.table} {self.key}"
