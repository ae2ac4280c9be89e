"""The kernel's models, each kept in the package of its subject."""

from healthrecords.accounts.models import ApiToken, EnrolmentLink, Role, User
from healthrecords.directory.models import (
    Location,
    LocationAddress,
    LocationIdentifier,
    LocationTelecom,
    Organization,
    OrganizationAddress,
    OrganizationIdentifier,
    OrganizationTelecom,
    Practitioner,
    PractitionerAddress,
    PractitionerIdentifier,
    PractitionerName,
    PractitionerTelecom,
)
from healthrecords.importing.models import ImportProgress, KeptResource, ReplacedContent
from healthrecords.records import RecordVersion

__all__ = [
    "ApiToken",
    "EnrolmentLink",
    "ImportProgress",
    "KeptResource",
    "Location",
    "LocationAddress",
    "LocationIdentifier",
    "LocationTelecom",
    "Organization",
    "OrganizationAddress",
    "OrganizationIdentifier",
    "OrganizationTelecom",
    "Practitioner",
    "PractitionerAddress",
    "PractitionerIdentifier",
    "PractitionerName",
    "PractitionerTelecom",
    "RecordVersion",
    "ReplacedContent",
    "Role",
    "User",
]
