"""FHIR data types that are rows of their own: HumanName, Identifier, ContactPoint, Address and others (R4 §2.24)."""

from datetime import UTC, datetime
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.core.exceptions import ValidationError
from django.db import models

from healthrecords.crypto.envelope import blind_index
from healthrecords.crypto.fields import BlindIndexField, EncryptedTextField
from healthrecords.records import Part, Record
from healthrecords.text import search_key

from . import primitives as p
from .mapping import ANY_LITERAL, Element, codes_in, coding, concept


def trigram(field: str, name: str) -> GinIndex:
    """An index for `LIKE '%…%'` on a folded column."""
    return GinIndex(OpClass(models.F(field), "gin_trgm_ops"), name=name)


def tokens_index(name: str) -> GinIndex:
    """The index on the `tokens` of a CodedRecord."""
    return GinIndex(fields=["tokens"], name=name)


def check_partial_date(text: str) -> None:
    """Model validator: a FHIR date or dateTime, such as 2024, 2024-05 or 2024-05-17."""
    fault = p.DATETIME_TYPE.fault(text)
    if fault:
        raise ValidationError("Write a date as 2024-05-17, 2024-05 or 2024.")


def period_span(start: str, end: str) -> tuple[datetime | None, datetime | None]:
    """Return the instants [from, until) of a Period; an open end is the end of time, none at all is (None, None)."""
    if not (start or end):
        return None, None
    low = p.span(start)[0] if start else datetime.min.replace(tzinfo=UTC)
    return low, p.span(end)[1] if end else datetime.max.replace(tzinfo=UTC)


class PeriodPart(Part):
    """A part that was true for a time; start and end as they were sent."""

    period_start = models.CharField("from", max_length=40, blank=True, default="", validators=[check_partial_date])
    period_end = models.CharField("until", max_length=40, blank=True, default="", validators=[check_partial_date])

    class Meta(Part.Meta):
        abstract = True


PERIOD = (
    Element("period.start", "period_start", p.DATETIME_TYPE),
    Element("period.end", "period_end", p.DATETIME_TYPE),
)


class NameUse(models.TextChoices):
    USUAL, OFFICIAL, TEMP, NICKNAME = "usual", "official", "temp", "nickname"
    ANONYMOUS, OLD, MAIDEN = "anonymous", "old", "maiden"


class Gender(models.TextChoices):
    MALE, FEMALE, OTHER, UNKNOWN = "male", "female", "other", "unknown"


class HumanName(PeriodPart):
    """A name of a person."""

    use = models.TextField(choices=NameUse.choices, blank=True, default="")
    text = models.TextField("as written", blank=True, default="")
    family = models.TextField("family name", blank=True, default="")
    given = ArrayField(models.TextField(), verbose_name="given names", blank=True, default=list)
    prefix = ArrayField(models.TextField(), blank=True, default=list)
    suffix = ArrayField(models.TextField(), blank=True, default=list)
    family_key = models.TextField(default="", editable=False)
    given_key = models.TextField(default="", editable=False)
    any_key = models.TextField(default="", editable=False)

    class Meta(PeriodPart.Meta):
        abstract = True

    def __str__(self) -> str:
        return self.text or " ".join([*filter(None, self.given), self.family]).strip()

    def derive(self) -> None:
        self.family_key = search_key([self.family])
        self.given_key = search_key(self.given)
        self.any_key = search_key([self.family, *self.given, *self.prefix, *self.suffix, self.text])


NAME = (
    Element("use", "use", p.CODE_TYPE),
    Element("text", "text"),
    Element("family", "family"),
    Element("given", "given", many=True),
    Element("prefix", "prefix", many=True),
    Element("suffix", "suffix", many=True),
    *PERIOD,
)

SSN_SYSTEMS = ("http://hl7.org/fhir/sid/us-ssn", "urn:oid:2.16.840.1.113883.4.1")
IDENTIFIER_TYPES = "http://terminology.hl7.org/CodeSystem/v2-0203"
NATIONAL_TYPES = ("SS", "NI", "PPN", "DL", "TAX", "SB", "NH", "CZ")  # HL7 v2-0203: ids that a state gives a person


class IdentifierUse(models.TextChoices):
    USUAL, OFFICIAL, TEMP, SECONDARY, OLD = "usual", "official", "temp", "secondary", "old"


class Identifier(PeriodPart):
    """An identifier by its system. A national id is kept sealed, with a blind index to find it by."""

    use = models.TextField(choices=IdentifierUse.choices, blank=True, default="")
    type_code = models.TextField("type", blank=True, default="")
    system = models.CharField("issued by (system)", max_length=500, blank=True, default="")
    value = models.CharField(max_length=500, blank=True, default="", editable=False)
    sealed = EncryptedTextField()
    fingerprint = BlindIndexField(of="sealed", purpose="identifier")

    class Meta(PeriodPart.Meta):
        abstract = True

    def __str__(self) -> str:
        return f"{self.type_code or self.system} {self.masked}".strip()

    @property
    def number(self) -> str:
        """The identifier's value, opened where it is sealed."""
        return str(self.sealed or self.value)

    @number.setter
    def number(self, number: str) -> None:
        self.value, self.sealed = number, None

    @property
    def masked(self) -> str:
        """What a screen may show at a glance: of a national id only the last four characters."""
        return f"••• {self.number[-4:]}" if self.sealed else self.value

    @property
    def is_national(self) -> bool:
        extra: Any = self.extra or {}
        codes = {self.type_code, *codes_in(extra.get("type", {}).get("coding"))}
        return self.system in SSN_SYSTEMS or not codes.isdisjoint(NATIONAL_TYPES)

    def derive(self) -> None:
        number = self.number
        self.value, self.sealed = ("", number) if self.is_national and number else (number, None)
        self.fingerprint = blind_index(number, "identifier") if self.sealed else None


IDENTIFIER = (
    Element("use", "use", p.CODE_TYPE),
    Element("type", "type_code", p.OBJECT, coder=concept(IDENTIFIER_TYPES)),
    Element("system", "system", p.URI_TYPE),
    Element("value", "number", p.KEYED),
    *PERIOD,
)


class TelecomSystem(models.TextChoices):
    PHONE, FAX, EMAIL, PAGER = "phone", "fax", "email", "pager"
    URL, SMS, OTHER = "url", "sms", "other"


class TelecomUse(models.TextChoices):
    HOME, WORK, TEMP, OLD, MOBILE = "home", "work", "temp", "old", "mobile"


class ContactPoint(PeriodPart):
    """A phone number, e-mail address or other way to reach somebody."""

    system = models.TextField("kind", choices=TelecomSystem.choices, blank=True, default="")
    value = models.CharField("number or address", max_length=500, blank=True, default="")
    use = models.TextField(choices=TelecomUse.choices, blank=True, default="")
    rank = models.PositiveIntegerField("preference", null=True, blank=True)
    value_key = models.TextField(default="", editable=False)

    class Meta(PeriodPart.Meta):
        abstract = True

    def __str__(self) -> str:
        return self.value

    def derive(self) -> None:
        digits = "".join(c for c in self.value if c.isdigit())
        self.value_key = digits if self.system in ("phone", "sms", "fax", "pager") else self.value.casefold()


TELECOM = (
    Element("system", "system", p.CODE_TYPE),
    Element("value", "value", p.KEYED),
    Element("use", "use", p.CODE_TYPE),
    Element("rank", "rank", p.POSITIVE_INT),
    *PERIOD,
)


class AddressUse(models.TextChoices):
    HOME, WORK, TEMP, OLD, BILLING = "home", "work", "temp", "old", "billing"


class AddressType(models.TextChoices):
    POSTAL, PHYSICAL, BOTH = "postal", "physical", "both"


class Address(PeriodPart):
    """A postal or physical address."""

    use = models.TextField(choices=AddressUse.choices, blank=True, default="")
    type = models.TextField(choices=AddressType.choices, blank=True, default="")
    text = models.TextField("as written", blank=True, default="")
    line = ArrayField(models.TextField(), verbose_name="street", blank=True, default=list)
    city = models.TextField(blank=True, default="")
    district = models.TextField("county", blank=True, default="")
    state = models.TextField(blank=True, default="")
    postal_code = models.TextField(blank=True, default="")
    country = models.TextField(blank=True, default="")
    any_key = models.TextField(default="", editable=False)
    city_key = models.TextField(default="", editable=False)
    state_key = models.TextField(default="", editable=False)
    postal_code_key = models.TextField(default="", editable=False)
    country_key = models.TextField(default="", editable=False)

    class Meta(PeriodPart.Meta):
        abstract = True

    def __str__(self) -> str:
        place = f"{self.postal_code} {self.city}".strip()
        return self.text or ", ".join(filter(None, [*self.line, place, self.state, self.country]))

    def derive(self) -> None:
        for name in ("city", "state", "postal_code", "country"):
            setattr(self, f"{name}_key", search_key([getattr(self, name)]))
        places = [self.city, self.district, self.state, self.postal_code, self.country, self.text]
        self.any_key = search_key([*self.line, *places])


ADDRESS = (
    Element("use", "use", p.CODE_TYPE),
    Element("type", "type", p.CODE_TYPE),
    Element("text", "text"),
    Element("line", "line", many=True),
    Element("city", "city"),
    Element("district", "district"),
    Element("state", "state"),
    Element("postalCode", "postal_code"),
    Element("country", "country"),
    *PERIOD,
)


class CodedRecord(Record):
    """A record that is found by the codings of its concepts: `tokens` holds them for every such search parameter."""

    tokens = ArrayField(models.TextField(), default=list, editable=False)

    class Meta:
        abstract = True


class ConceptPart(Part):
    """A CodeableConcept: the code of its first coding, and its words."""

    code = models.TextField(blank=True, default="")
    text = models.TextField("in words", blank=True, default="")

    class Meta(Part.Meta):
        abstract = True

    def __str__(self) -> str:
        return self.text or self.code


def concept_elements(system: str) -> tuple[Element, ...]:
    """The elements of a ConceptPart; a code that a form enters is of `system`."""
    return (Element("coding.0", "code", p.OBJECT, coder=coding(system)), Element("text", "text"))


class ReferencePart(Part):
    """A reference to a record of any type: the type and logical id that a literal one names."""

    target_type = models.CharField("type", max_length=64, blank=True, default="")
    target_id = models.CharField("logical id", max_length=64, blank=True, default="")
    display = models.TextField("shown as", blank=True, default="")

    class Meta(Part.Meta):
        abstract = True

    def __str__(self) -> str:
        return self.display or "/".join(self.target or ())

    @property
    def target(self) -> tuple[str, str] | None:
        """Type and logical id, if the reference names them."""
        return (self.target_type, self.target_id) if self.target_id else None

    @target.setter
    def target(self, pair: tuple[str, str]) -> None:
        self.target_type, self.target_id = pair


REFERENCE = (Element("reference", "target", coder=ANY_LITERAL), Element("display", "display"))


def indexes(kind: str, table: str) -> list[Any]:
    """The indexes that search needs on the parts of a kind (name, identifier, telecom, address, reference)."""
    if kind == "name":
        return [trigram(f"{each}_key", f"{table}_{each}") for each in ("family", "given", "any")]
    if kind == "identifier":
        return [
            models.Index(fields=["value", "system"], name=f"{table}_value"),
            models.Index(fields=["fingerprint"], name=f"{table}_sealed", condition=models.Q(fingerprint__isnull=False)),
        ]
    if kind == "reference":
        return [models.Index(fields=["target_id", "target_type"], name=f"{table}_target")]
    if kind == "telecom":
        return [models.Index(fields=["value"], name=f"{table}_value"), trigram("value_key", f"{table}_key")]
    return [trigram(f"{each}_key", f"{table}_{each}") for each in ("any", "city", "state", "postal_code", "country")]
