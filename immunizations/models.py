"""The immunization and what belongs to it: who gave it, notes, reasons, education, reactions, protocol."""

from decimal import Decimal, InvalidOperation
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models

from healthrecords.directory.models import Location, Organization, Practitioner, PractitionerRole
from healthrecords.fhir import datatypes as d
from healthrecords.fhir.primitives import span
from healthrecords.records import Part
from healthrecords.text import search_key
from immunizations.codes import models as _codes  # noqa: F401  Django looks for an app's models here
from immunizations.duplicates import models as _duplicates  # noqa: F401
from immunizations.stock import models as _stock  # noqa: F401
from patients.models import Patient


class Status(models.TextChoices):
    """R4 immunization-status."""

    COMPLETED, NOT_DONE = "completed", "not-done"
    ENTERED_IN_ERROR = "entered-in-error"


def check_decimal(text: str) -> None:
    """Model validator: a decimal number in digits, such as 0.5."""
    try:
        good = Decimal(text).is_finite()
    except InvalidOperation:
        good = False
    if not good:
        raise ValidationError("Write an amount in digits, such as 0.5.")


def lot_code_of(key: str) -> models.Func:
    """The lot number of a column of search keys as stock compares it (`immunizations.stock.matching.lot_code`)."""
    terms = [models.Value(term) for term in ("[^a-z0-9]", "", "g")]
    return models.Func(models.F(key), *terms, function="regexp_replace", output_field=models.TextField())


def points_to(model: Any) -> Any:
    """A column with the logical id of another record, which may be missing here."""
    return models.ForeignKey(
        model, models.DO_NOTHING, to_field="logical_id", db_constraint=False, null=True, blank=True, related_name="+"
    )


class Immunization(d.CodedRecord):
    """A vaccine that was given, or was not and why (R4 Immunization).

    Partial dates are kept as sent. The dose is a decimal number as text, since its digits say how exact it is.
    `vaccine_text` is the vaccine in words, often its trade name.
    """

    status = models.TextField(choices=Status.choices, default=Status.COMPLETED)
    status_reason = models.TextField("why not done", blank=True, default="")
    cvx = models.TextField("vaccine (CVX)", blank=True, default="")
    ndc = models.TextField("product (NDC)", blank=True, default="")
    vaccine_text = models.TextField("vaccine in words", blank=True, default="")
    patient = models.ForeignKey(
        Patient,
        models.DO_NOTHING,
        to_field="logical_id",
        db_constraint=False,
        db_index=False,  # an index below begins with it
        related_name="+",
    )
    encounter = models.CharField("encounter (logical id)", max_length=64, null=True, editable=False)
    occurred = models.CharField("given on", max_length=40, blank=True, default="", validators=[d.check_partial_date])
    occurred_text = models.TextField("given, in words", blank=True, default="")
    occurred_from = models.DateTimeField(null=True, editable=False)
    occurred_until = models.DateTimeField(null=True, editable=False, db_index=True)
    recorded = models.CharField("recorded on", max_length=40, blank=True, default="", validators=[d.check_partial_date])
    primary_source = models.BooleanField("from who gave it", null=True, blank=True)
    report_origin = models.TextField("reported by", blank=True, default="")
    location = points_to(Location)
    manufacturer = points_to(Organization)
    manufacturer_text = models.TextField("manufacturer in words", blank=True, default="")
    mvx = models.TextField("manufacturer (MVX)", blank=True, default="")
    lot_number = models.CharField("lot", max_length=500, blank=True, default="")
    lot_key = models.TextField(default="", editable=False)
    expires = models.CharField(
        "lot expires on", max_length=10, blank=True, default="", validators=[d.check_partial_date]
    )
    site = models.TextField("body site", blank=True, default="")
    route = models.TextField(blank=True, default="")
    dose = models.CharField("dose amount", max_length=80, blank=True, default="", validators=[check_decimal])
    dose_unit = models.TextField(blank=True, default="")
    dose_unit_code = models.TextField("dose unit (UCUM)", blank=True, default="")
    subpotent = models.BooleanField("did not count as a full dose", null=True, blank=True)
    funding_source = models.TextField(blank=True, default="")

    class Meta:
        ordering = ["-occurred_from", "-uuid"]
        indexes = [
            models.Index(fields=["patient", "occurred_from"], name="immunization_of_patient"),
            models.Index(fields=["occurred_from", "uuid"], name="immunization_by_date"),
            models.Index(fields=["status", "uuid"], name="immunization_by_status"),
            models.Index(fields=["cvx", "uuid"], name="immunization_by_vaccine"),
            d.tokens_index("immunization_tokens"),
            d.trigram("lot_key", "immunization_lot"),
            models.Index(fields=["lot_number"], name="immunization_by_lot"),
            models.Index(lot_code_of("lot_key"), name="immunization_by_lot_code", condition=~models.Q(lot_key="")),
        ]

    def __str__(self) -> str:
        return f"{self.vaccine_text or self.cvx or 'vaccine'}, {self.occurred or self.occurred_text}".strip(", ")

    def patient_ids(self) -> list[str]:
        return [self.patient_id]

    @classmethod
    def about(cls, patient: str) -> models.Q:
        return models.Q(patient_id=patient)

    def derive(self) -> None:
        self.occurred_from, self.occurred_until = span(self.occurred) if self.occurred else (None, None)
        self.lot_key = search_key([self.lot_number])

    @property
    def vaccine_codes(self) -> tuple[str, str] | None:
        """CVX and NDC, if there is one of them."""
        return (self.cvx, self.ndc) if self.cvx or self.ndc else None

    @vaccine_codes.setter
    def vaccine_codes(self, pair: tuple[str, str]) -> None:
        self.cvx, self.ndc = pair


class ImmunizationIdentifier(d.Identifier):
    record = models.ForeignKey(Immunization, models.CASCADE, related_name="identifiers")

    class Meta(d.Identifier.Meta):
        indexes = d.indexes("identifier", "immid")


class ImmunizationPerformer(Part):
    """Who ordered or gave the vaccine (R4 Immunization.performer)."""

    record = models.ForeignKey(Immunization, models.CASCADE, related_name="performers")
    function = models.TextField(blank=True, default="")
    practitioner = points_to(Practitioner)
    practitioner_role = points_to(PractitionerRole)
    organization = points_to(Organization)
    display = models.TextField("shown as", blank=True, default="")

    def __str__(self) -> str:
        return self.display or self.practitioner_id or self.practitioner_role_id or self.organization_id or ""


class ImmunizationNote(Part):
    record = models.ForeignKey(Immunization, models.CASCADE, related_name="notes")
    text = models.TextField(blank=True, default="")
    time = models.CharField(max_length=40, blank=True, default="", validators=[d.check_partial_date])

    def __str__(self) -> str:
        return self.text


class ImmunizationReason(d.ConceptPart):
    """Why the vaccine was given."""

    record = models.ForeignKey(Immunization, models.CASCADE, related_name="reasons")


class ImmunizationReasonReference(d.ReferencePart):
    """A condition, observation or report that is why the vaccine was given."""

    record = models.ForeignKey(Immunization, models.CASCADE, related_name="reason_references")

    class Meta(d.ReferencePart.Meta):
        indexes = d.indexes("reference", "immreason")


class ImmunizationSubpotentReason(d.ConceptPart):
    """Why the dose did not count as a full one."""

    record = models.ForeignKey(Immunization, models.CASCADE, related_name="subpotent_reasons")


class ImmunizationEligibility(d.ConceptPart):
    """The patient's eligibility for a vaccination program (such as Vaccines for Children)."""

    record = models.ForeignKey(Immunization, models.CASCADE, related_name="eligibilities")


class ImmunizationEducation(Part):
    """What the patient was given to read: a vaccine information statement (VIS)."""

    record = models.ForeignKey(Immunization, models.CASCADE, related_name="educations")
    document_type = models.TextField("document", blank=True, default="")
    reference = models.CharField("address of the document", max_length=500, blank=True, default="")
    publication_date = models.CharField(
        "published on", max_length=40, blank=True, default="", validators=[d.check_partial_date]
    )
    presentation_date = models.CharField(
        "given on", max_length=40, blank=True, default="", validators=[d.check_partial_date]
    )

    def __str__(self) -> str:
        return self.document_type or self.reference


class ImmunizationReaction(Part):
    """A reaction that followed (R4 Immunization.reaction); the observation is not stored here."""

    record = models.ForeignKey(Immunization, models.CASCADE, related_name="reactions")
    date = models.CharField(max_length=40, blank=True, default="", validators=[d.check_partial_date])
    date_from = models.DateTimeField(null=True, editable=False, db_index=True)
    date_until = models.DateTimeField(null=True, editable=False, db_index=True)
    observation = models.CharField(max_length=64, null=True, editable=False)
    reported = models.BooleanField("reported by the patient", null=True, blank=True)

    class Meta(Part.Meta):
        indexes = [models.Index(fields=["observation"], name="immreaction_observation")]

    def __str__(self) -> str:
        return self.date

    def derive(self) -> None:
        self.date_from, self.date_until = span(self.date) if self.date else (None, None)


class ImmunizationProtocol(Part):
    """The place of the dose in a series, and who says so (R4 Immunization.protocolApplied)."""

    record = models.ForeignKey(Immunization, models.CASCADE, related_name="protocols")
    series = models.TextField(blank=True, default="")
    series_key = models.TextField(default="", editable=False)
    authority = points_to(Organization)
    target_disease = models.TextField("disease", blank=True, default="")
    dose_number = models.PositiveIntegerField(null=True, blank=True)
    dose_number_text = models.TextField("dose number in words", blank=True, default="")
    series_doses = models.PositiveIntegerField("doses of the series", null=True, blank=True)
    series_doses_text = models.TextField("doses of the series in words", blank=True, default="")

    class Meta(Part.Meta):
        indexes = [d.trigram("series_key", "immprotocol_series")]

    def __str__(self) -> str:
        return f"{self.series} {self.dose_number or self.dose_number_text}".strip()

    def derive(self) -> None:
        self.series_key = search_key([self.series])
