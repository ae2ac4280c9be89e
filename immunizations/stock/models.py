"""Lots, and the ledger of what became of their doses. What is on hand is the sum of a lot's movements."""

from typing import Self

from django.db import models
from django.db.models import Q, Sum
from django.db.models.functions import Coalesce
from django.utils import timezone
from uuid6 import uuid7

from healthrecords.directory.models import Location
from immunizations.stock.matching import lot_code


class Funding(models.TextChoices):
    """Who paid for the vaccine; FHIR immunization-funding-source."""

    PRIVATE, PUBLIC = "private", "public"


class LotQuerySet(models.QuerySet["Lot"]):
    """Lots."""

    def with_stock(self) -> Self:
        """Each with `on_hand`, in doses."""
        return self.annotate(on_hand=Coalesce(Sum("movements__quantity"), 0))


class Lot(models.Model):
    """Doses of one lot of one vaccine with one funding at one place (none: the only place there is).

    The rows of one lot number at several places are marked together when it is recalled. `threshold` is the number
    of doses below which it is listed.
    """

    uuid = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    cvx = models.TextField("vaccine (CVX)")
    mvx = models.TextField("manufacturer (MVX)", blank=True, default="")
    ndc = models.TextField("product (NDC)", blank=True, default="")
    product = models.TextField("trade name", blank=True, default="")
    lot_number = models.CharField("lot", max_length=40)
    code = models.TextField(editable=False, help_text="The lot number in the form in which it is compared.")
    expires = models.DateField("expires on", null=True, blank=True, help_text="The last day on which it may be given.")
    funding = models.TextField(choices=Funding.choices, default=Funding.PRIVATE)
    location = models.ForeignKey(
        Location, models.DO_NOTHING, to_field="logical_id", db_constraint=False, null=True, blank=True, related_name="+"
    )
    threshold = models.PositiveIntegerField("list it below", default=0)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    recalled_at = models.DateTimeField(null=True, editable=False)
    recall_reason = models.TextField(blank=True, default="", editable=False)
    recalled_by = models.TextField(blank=True, default="", editable=False)

    objects = LotQuerySet.as_manager()

    class Meta:
        ordering = ["expires", "lot_number", "uuid"]
        constraints = [
            models.UniqueConstraint(
                fields=["code", "cvx", "funding", "location"], nulls_distinct=False, name="lot_one_of_each"
            )
        ]

    def __str__(self) -> str:
        return f"lot {self.lot_number} of {self.product or f'CVX {self.cvx}'}"

    def save(self, *args: object, **kwargs: object) -> None:
        self.code = lot_code(self.lot_number)
        super().save(*args, **kwargs)  # type: ignore[arg-type]


class Kind(models.TextChoices):
    """What became of doses."""

    RECEIVED, USED, RETURNED, WASTED = "received", "used", "returned", "wasted"
    EXPIRED, COUNTED, TRANSFERRED = "expired", "counted", "transferred"


_ADDS = ("received", "returned")
_TAKES = ("used", "wasted", "expired")


class StockMovement(models.Model):
    """One line of the ledger, never changed or removed: so many doses came to a lot (or left it: negative), and why.

    `dose` is the logical id of the Immunization that used or returned one, with the version that did it. `counted` is
    what was found on the shelf; the quantity is then the difference. `other` is the lot at the other end of a transfer.
    """

    uuid = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    lot = models.ForeignKey(Lot, models.PROTECT, related_name="movements")
    kind = models.TextField(choices=Kind.choices)
    quantity = models.IntegerField()
    reason = models.TextField(blank=True, default="")
    counted = models.PositiveIntegerField(null=True)
    dose = models.TextField(blank=True, default="")
    dose_version = models.PositiveIntegerField(null=True)
    other = models.ForeignKey(Lot, models.PROTECT, null=True, related_name="+")
    author = models.TextField(help_text="Name of the person, token or command that entered it, as it was then.")
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-at", "-uuid"]
        indexes = [models.Index(fields=["dose"], condition=~Q(dose=""), name="stockmovement_dose")]
        constraints = [
            models.CheckConstraint(
                condition=(
                    Q(kind__in=_ADDS, quantity__gt=0)
                    | Q(kind__in=_TAKES, quantity__lt=0)
                    | Q(kind="counted", counted__isnull=False)
                    | (Q(kind="transferred", other__isnull=False) & ~Q(quantity=0))
                ),
                name="stockmovement_sign",
            ),
            models.UniqueConstraint(
                fields=["dose", "dose_version", "kind"], condition=~Q(dose=""), name="stockmovement_once_a_version"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.quantity:+d} of {self.lot_id}"
