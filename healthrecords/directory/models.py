"""Organization, Practitioner, Location and PractitionerRole with their parts."""

from typing import Any

from django.db import models

from healthrecords.fhir import datatypes as d
from healthrecords.records import Part, Record
from healthrecords.text import search_key


class DirectoryEntry(Record):
    """What the three have in common: whether it is in use, and the name that lists show."""

    active = models.BooleanField(null=True, blank=True)
    name = models.TextField(blank=True, default="")
    name_key = models.TextField(default="", editable=False)

    class Meta:
        abstract = True
        ordering = ["name", "uuid"]

    def __str__(self) -> str:
        return self.name or self.logical_id

    def derive(self) -> None:
        self.name_key = search_key([self.name, *self._aliases])

    @property
    def _aliases(self) -> list[str | None]:
        """The other names that R4 searches by `name` as well; no column models them."""
        extra: Any = self.extra or {}
        return [each for each in extra.get("alias", []) if isinstance(each, str)]


class Organization(DirectoryEntry):
    """A clinic, hospital, payer or department (R4 Organization)."""

    part_of = models.ForeignKey(
        "self", models.DO_NOTHING, to_field="logical_id", db_constraint=False, null=True, blank=True, related_name="+"
    )

    class Meta(DirectoryEntry.Meta):
        indexes = [
            d.trigram("name_key", "organization_name"),
            models.Index(fields=["active", "uuid"], name="organization_by_active"),
        ]


class Practitioner(DirectoryEntry):
    """A person who gives care (R4 Practitioner). `name` is the first of the names, as lists show it."""

    gender = models.TextField(choices=d.Gender.choices, blank=True, default="")
    birth_date = models.CharField(max_length=10, blank=True, default="", validators=[d.check_partial_date])

    class Meta(DirectoryEntry.Meta):
        indexes = [models.Index(fields=["active", "uuid"], name="practitioner_by_active")]


class LocationStatus(models.TextChoices):
    ACTIVE, SUSPENDED, INACTIVE = "active", "suspended", "inactive"


class Location(DirectoryEntry):
    """A place where care is given (R4 Location)."""

    status = models.TextField(choices=LocationStatus.choices, blank=True, default="")
    description = models.TextField(blank=True, default="")
    managing_organization = models.ForeignKey(
        Organization,
        models.DO_NOTHING,
        to_field="logical_id",
        db_constraint=False,
        null=True,
        blank=True,
        related_name="+",
    )
    part_of = models.ForeignKey(
        "self", models.DO_NOTHING, to_field="logical_id", db_constraint=False, null=True, blank=True, related_name="+"
    )

    active = None

    class Meta(DirectoryEntry.Meta):
        indexes = [
            d.trigram("name_key", "location_name"),
            models.Index(fields=["status", "uuid"], name="location_by_status"),
        ]


class OrganizationIdentifier(d.Identifier):
    record = models.ForeignKey(Organization, models.CASCADE, related_name="identifiers")

    class Meta(d.Identifier.Meta):
        indexes = d.indexes("identifier", "orgid")


class OrganizationTelecom(d.ContactPoint):
    record = models.ForeignKey(Organization, models.CASCADE, related_name="telecoms")


class OrganizationAddress(d.Address):
    record = models.ForeignKey(Organization, models.CASCADE, related_name="addresses")

    class Meta(d.Address.Meta):
        indexes = d.indexes("address", "orgaddr")


class PractitionerName(d.HumanName):
    record = models.ForeignKey(Practitioner, models.CASCADE, related_name="names")

    class Meta(d.HumanName.Meta):
        indexes = d.indexes("name", "practname")


class PractitionerIdentifier(d.Identifier):
    record = models.ForeignKey(Practitioner, models.CASCADE, related_name="identifiers")

    class Meta(d.Identifier.Meta):
        indexes = d.indexes("identifier", "practid")


class PractitionerTelecom(d.ContactPoint):
    record = models.ForeignKey(Practitioner, models.CASCADE, related_name="telecoms")

    class Meta(d.ContactPoint.Meta):
        indexes = d.indexes("telecom", "practtel")


class PractitionerAddress(d.Address):
    record = models.ForeignKey(Practitioner, models.CASCADE, related_name="addresses")


class LocationIdentifier(d.Identifier):
    record = models.ForeignKey(Location, models.CASCADE, related_name="identifiers")

    class Meta(d.Identifier.Meta):
        indexes = d.indexes("identifier", "locid")


class LocationTelecom(d.ContactPoint):
    record = models.ForeignKey(Location, models.CASCADE, related_name="telecoms")


class LocationAddress(d.Address):
    """R4 gives a Location one address; it is a part so that all addresses are searched alike."""

    record = models.ForeignKey(Location, models.CASCADE, related_name="addresses")

    class Meta(d.Address.Meta):
        indexes = d.indexes("address", "locaddr")


class PractitionerRole(d.CodedRecord):
    """What a practitioner does, for which organization and where (R4 PractitionerRole). `title` is what lists show."""

    active = models.BooleanField(null=True, blank=True)
    period_start = models.CharField("from", max_length=40, blank=True, default="", validators=[d.check_partial_date])
    period_end = models.CharField("until", max_length=40, blank=True, default="", validators=[d.check_partial_date])
    valid_from = models.DateTimeField(null=True, editable=False, db_index=True)
    valid_until = models.DateTimeField(null=True, editable=False, db_index=True)
    practitioner = models.ForeignKey(
        Practitioner,
        models.DO_NOTHING,
        to_field="logical_id",
        db_constraint=False,
        null=True,
        blank=True,
        related_name="+",
    )
    organization = models.ForeignKey(
        Organization,
        models.DO_NOTHING,
        to_field="logical_id",
        db_constraint=False,
        null=True,
        blank=True,
        related_name="+",
    )
    title = models.TextField(default="", editable=False)

    class Meta:
        ordering = ["title", "uuid"]
        indexes = [
            models.Index(fields=["active", "uuid"], name="practrole_by_active"),
            d.tokens_index("practrole_tokens"),
        ]

    def __str__(self) -> str:
        return self.title or self.logical_id

    def derive(self) -> None:
        self.valid_from, self.valid_until = d.period_span(self.period_start, self.period_end)


class PractitionerRoleIdentifier(d.Identifier):
    record = models.ForeignKey(PractitionerRole, models.CASCADE, related_name="identifiers")

    class Meta(d.Identifier.Meta):
        indexes = d.indexes("identifier", "practroleid")


class PractitionerRoleTelecom(d.ContactPoint):
    record = models.ForeignKey(PractitionerRole, models.CASCADE, related_name="telecoms")

    class Meta(d.ContactPoint.Meta):
        indexes = d.indexes("telecom", "practroletel")


class PractitionerRoleCode(d.ConceptPart):
    """What the practitioner does there, such as nurse or doctor."""

    record = models.ForeignKey(PractitionerRole, models.CASCADE, related_name="codes")


class PractitionerRoleSpecialty(d.ConceptPart):
    record = models.ForeignKey(PractitionerRole, models.CASCADE, related_name="specialties")


class PractitionerRoleLocation(Part):
    """A place where the practitioner is in this role."""

    record = models.ForeignKey(PractitionerRole, models.CASCADE, related_name="locations")
    location = models.ForeignKey(
        Location, models.DO_NOTHING, to_field="logical_id", db_constraint=False, null=True, blank=True, related_name="+"
    )
    display = models.TextField("shown as", blank=True, default="")

    def __str__(self) -> str:
        return self.display or self.location_id or ""


class PractitionerRoleService(d.ReferencePart):
    """A service that is given in this role; services are not stored here."""

    record = models.ForeignKey(PractitionerRole, models.CASCADE, related_name="services")

    class Meta(d.ReferencePart.Meta):
        indexes = d.indexes("reference", "practroleserv")


class PractitionerRoleEndpoint(d.ReferencePart):
    """Where electronic messages for this role go; endpoints are not stored here."""

    record = models.ForeignKey(PractitionerRole, models.CASCADE, related_name="endpoints")

    class Meta(d.ReferencePart.Meta):
        indexes = d.indexes("reference", "practroleend")
