"""PractitionerRole (R4 §8.5): what a practitioner does, for whom and where."""

from healthrecords.directory.models import (
    PractitionerRole,
    PractitionerRoleCode,
    PractitionerRoleEndpoint,
    PractitionerRoleIdentifier,
    PractitionerRoleLocation,
    PractitionerRoleService,
    PractitionerRoleSpecialty,
    PractitionerRoleTelecom,
)
from healthrecords.fhir import datatypes as d
from healthrecords.fhir import primitives as p
from healthrecords.fhir.mapping import Draft, Element, Mapping, Parts, literal_to, reference_to, to_fhir
from healthrecords.fhir.resource import Resource
from healthrecords.fhir.search.concepts import ConceptParam, tokens_of
from healthrecords.fhir.search.params import AnyReferenceParam, BooleanParam, DateParam, ReferenceParam
from healthrecords.fhir.search.shared import IDENTIFIER_PARAM, telecom_params

TAXONOMY = "http://nucc.org/provider-taxonomy"
_LOCATION = (Element("reference", "location_id", coder=literal_to("Location")), Element("display", "display"))

MAPPING = Mapping(
    PractitionerRole,
    elements=(
        Element("active", "active", p.BOOLEAN),
        *d.PERIOD,
        Element("practitioner", "practitioner_id", p.OBJECT, coder=reference_to("Practitioner")),
        Element("organization", "organization_id", p.OBJECT, coder=reference_to("Organization")),
    ),
    parts=(
        Parts("identifier", PractitionerRoleIdentifier, "identifiers", d.IDENTIFIER),
        Parts("code", PractitionerRoleCode, "codes", d.concept_elements(TAXONOMY)),
        Parts("specialty", PractitionerRoleSpecialty, "specialties", d.concept_elements(TAXONOMY)),
        Parts("location", PractitionerRoleLocation, "locations", _LOCATION),
        Parts("healthcareService", PractitionerRoleService, "services", d.REFERENCE),
        Parts("telecom", PractitionerRoleTelecom, "telecoms", d.TELECOM),
        Parts("endpoint", PractitionerRoleEndpoint, "endpoints", d.REFERENCE),
    ),
    others=frozenset({"availableTime", "notAvailable", "availabilityExceptions"}),
)

SEARCH = (
    IDENTIFIER_PARAM,
    BooleanParam("active", column="active"),
    DateParam("date", low="valid_from", high="valid_until"),
    AnyReferenceParam("endpoint", "endpoints", only=frozenset({"Endpoint"})),
    ReferenceParam("location", "locations", targets={"Location": "location_id"}),
    ReferenceParam("organization", targets={"Organization": "organization_id"}),
    ReferenceParam("practitioner", targets={"Practitioner": "practitioner_id"}),
    ConceptParam("role", element="code"),
    AnyReferenceParam("service", "services", only=frozenset({"HealthcareService"})),
    ConceptParam("specialty", element="specialty"),
    *telecom_params(),
)


def settle(draft: Draft) -> None:
    """Work out the title that lists show, and the codings by which the role is found."""
    record, parts = draft.record, [*draft.parts["codes"], *draft.parts["specialties"]]
    record.title = next(filter(None, map(str, parts)), "")  # type: ignore[attr-defined]
    record.tokens = tokens_of(SEARCH, to_fhir(MAPPING, draft))  # type: ignore[attr-defined]


PRACTITIONER_ROLE = Resource(
    "PractitionerRole",
    MAPPING,
    SEARCH,
    summary=frozenset(
        {"implicitRules", "identifier", "active", "period", "practitioner", "organization", "code", "specialty"}
        | {"location", "telecom"}
    ),
    sorts={"date": ("valid_from",), "_lastUpdated": ("updated_at",), "_id": ("logical_id",)},
    settle=settle,
    directory=True,
)
