"""The patient and what belongs to the person: names, identifiers, ways to reach them, contacts, links."""

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone

from healthrecords.directory.models import Organization, Practitioner
from healthrecords.fhir import datatypes as d
from healthrecords.fhir.primitives import day_span, span
from healthrecords.records import Part, Record
from healthrecords.text import fold


class BirthSex(models.TextChoices):
    """US Core birth sex, http://hl7.org/fhir/us/core/ValueSet/birthsex."""

    FEMALE, MALE = "F", "M"
    OTHER, UNKNOWN, ASKED = "OTH", "UNK", "ASKU"


class MaritalStatus(models.TextChoices):
    """HL7 v3 MaritalStatus."""

    ANNULLED, DIVORCED, INTERLOCUTORY = "A", "D", "I"
    LEGALLY_SEPARATED, MARRIED, COMMON_LAW = "L", "M", "C"
    POLYGAMOUS, DOMESTIC_PARTNER, UNMARRIED = "P", "T", "U"
    NEVER_MARRIED, WIDOWED, UNKNOWN = "S", "W", "UNK"


_SORTED = 100  # characters that lists sort by; a B-tree refuses rows of more than 2.7 kB


class Patient(Record):
    """A person who receives care (R4 Patient). A partial birth date is kept as sent, with the span it covers."""

    active = models.BooleanField(null=True, blank=True)
    gender = models.TextField(choices=d.Gender.choices, blank=True, default="")
    birth_date = models.CharField(max_length=10, blank=True, default="", validators=[d.check_partial_date])
    birth_from = models.DateTimeField(null=True, editable=False, db_index=True)
    birth_until = models.DateTimeField(null=True, editable=False)
    deceased = models.BooleanField("has died", null=True, blank=True)
    deceased_at = models.CharField("died on", max_length=40, blank=True, default="", validators=[d.check_partial_date])
    is_deceased = models.BooleanField(default=False, editable=False)
    marital_status = models.TextField(choices=MaritalStatus.choices, blank=True, default="")
    managing_organization = models.ForeignKey(
        Organization,
        models.DO_NOTHING,
        to_field="logical_id",
        db_constraint=False,
        null=True,
        blank=True,
        related_name="+",
    )
    birth_sex = models.TextField(choices=BirthSex.choices, blank=True, default="")
    race = models.JSONField(null=True, blank=True, help_text="US Core race: omb, detailed (codings), text.")
    ethnicity = models.JSONField(null=True, blank=True, help_text="US Core ethnicity: omb, detailed, text.")
    display_name = models.TextField(default="", editable=False)
    sort_family = models.TextField(default="", editable=False)
    sort_given = models.TextField(default="", editable=False)

    class Meta:
        ordering = ["sort_family", "sort_given", "uuid"]
        indexes = [
            models.Index(fields=["sort_family", "sort_given", "uuid"], name="patient_by_name"),
            models.Index(fields=["gender", "uuid"], name="patient_by_gender"),
            models.Index(fields=["active", "uuid"], name="patient_by_active"),
            models.Index(fields=["is_deceased", "uuid"], name="patient_by_deceased"),
            models.Index(fields=["birth_until"], name="patient_by_birth_until"),
        ]

    def __str__(self) -> str:
        return self.display_name or "(no name)"

    def patient_ids(self) -> list[str]:
        return [self.logical_id]

    @classmethod
    def about(cls, patient: str) -> models.Q:
        return models.Q(logical_id=patient)

    def derive(self) -> None:
        self.birth_from, self.birth_until = span(self.birth_date) if self.birth_date else (None, None)
        self.is_deceased = bool(self.deceased or self.deceased_at)

    def derive_name(self, names: "list[Any]") -> None:
        """Take the name that lists show and sort by: official, else usual, else the first."""
        order = {"official": 0, "usual": 1, "": 2, "old": 9, "maiden": 8}
        best = min(names, key=lambda name: order.get(name.use, 5), default=None)
        self.display_name = str(best) if best else ""
        self.sort_family = fold(best.family or best.text)[:_SORTED] if best else ""
        self.sort_given = fold(" ".join(filter(None, best.given)))[:_SORTED] if best else ""

    def age_on(self, day: Any = None) -> int | None:
        """Full years on `day` (today), at death for the deceased; None when the birth date is too vague."""
        end = day or timezone.localdate()
        if self.deceased_at:
            end = day_span(self.deceased_at)[0]
        if len(self.birth_date) < 10:
            return None
        born = day_span(self.birth_date)[0]
        return max(0, end.year - born.year - ((end.month, end.day) < (born.month, born.day)))


class PatientName(d.HumanName):
    record = models.ForeignKey(Patient, models.CASCADE, related_name="names")

    class Meta(d.HumanName.Meta):
        indexes = d.indexes("name", "patname")


class PatientIdentifier(d.Identifier):
    record = models.ForeignKey(Patient, models.CASCADE, related_name="identifiers")

    class Meta(d.Identifier.Meta):
        indexes = d.indexes("identifier", "patid")


class PatientTelecom(d.ContactPoint):
    record = models.ForeignKey(Patient, models.CASCADE, related_name="telecoms")

    class Meta(d.ContactPoint.Meta):
        indexes = d.indexes("telecom", "pattel")


class PatientAddress(d.Address):
    record = models.ForeignKey(Patient, models.CASCADE, related_name="addresses")

    class Meta(d.Address.Meta):
        indexes = d.indexes("address", "pataddr")


class PatientContact(d.PeriodPart):
    """Somebody to reach for the patient: guardian, partner, friend (R4 Patient.contact)."""

    record = models.ForeignKey(Patient, models.CASCADE, related_name="contacts")
    relationship_code = models.TextField("relationship", blank=True, default="")
    relationship_text = models.TextField("relationship in words", blank=True, default="")
    family = models.TextField("family name", blank=True, default="")
    given = ArrayField(models.TextField(), verbose_name="given names", blank=True, default=list)
    name_text = models.TextField("name as written", blank=True, default="")
    telecom_system = models.TextField("kind", choices=d.TelecomSystem.choices, blank=True, default="")
    telecom_value = models.CharField("phone or e-mail", max_length=500, blank=True, default="")
    gender = models.TextField(choices=d.Gender.choices, blank=True, default="")
    organization = models.ForeignKey(
        Organization, models.DO_NOTHING, to_field="logical_id", db_constraint=False, null=True, blank=True
    )

    def __str__(self) -> str:
        return self.name_text or " ".join([*filter(None, self.given), self.family]).strip()


LANGUAGE_SYSTEM = "urn:ietf:bcp:47"


class PatientCommunication(Part):
    """A language that the patient speaks (R4 Patient.communication)."""

    record = models.ForeignKey(Patient, models.CASCADE, related_name="communications")
    language_system = models.TextField(blank=True, default=LANGUAGE_SYSTEM, editable=False)
    language_code = models.TextField("language", blank=True, default="")
    language_text = models.TextField("language in words", blank=True, default="")
    preferred = models.BooleanField(null=True, blank=True)

    class Meta(Part.Meta):
        indexes = [models.Index(fields=["language_code"], name="patcomm_language")]

    def __str__(self) -> str:
        return self.language_text or self.language_code

    @property
    def language_coding(self) -> tuple[str, str] | None:
        """System and code of the language, if it has a code."""
        return (self.language_system, self.language_code) if self.language_code else None

    @language_coding.setter
    def language_coding(self, pair: tuple[str, str]) -> None:
        self.language_system, self.language_code = pair


class PatientGeneralPractitioner(Part):
    """The patient's own practitioner or practice."""

    record = models.ForeignKey(Patient, models.CASCADE, related_name="general_practitioners")
    practitioner = models.ForeignKey(
        Practitioner, models.DO_NOTHING, to_field="logical_id", db_constraint=False, null=True, blank=True
    )
    organization = models.ForeignKey(
        Organization, models.DO_NOTHING, to_field="logical_id", db_constraint=False, null=True, blank=True
    )
    practitioner_role = models.TextField(null=True, editable=False, db_index=True)
    display = models.TextField("shown as", blank=True, default="")

    def __str__(self) -> str:
        return self.display or self.practitioner_id or self.organization_id or ""


class LinkType(models.TextChoices):
    REPLACED_BY, REPLACES = "replaced-by", "replaces"
    REFER, SEEALSO = "refer", "seealso"


class PatientLink(Part):
    """Another record of the same person (R4 Patient.link)."""

    record = models.ForeignKey(Patient, models.CASCADE, related_name="links")
    other = models.ForeignKey(
        Patient,
        models.DO_NOTHING,
        to_field="logical_id",
        db_constraint=False,
        null=True,
        blank=True,
        related_name="linked_from",
    )
    type = models.TextField(choices=LinkType.choices, blank=True, default="")
