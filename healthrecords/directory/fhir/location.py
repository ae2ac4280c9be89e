"""Location (R4 §8.7): the places where care is given."""

from healthrecords.directory.models import (
    Location,
    LocationAddress,
    LocationIdentifier,
    LocationTelecom,
)
from healthrecords.fhir import datatypes as d
from healthrecords.fhir import primitives as p
from healthrecords.fhir.mapping import Element, Mapping, Parts, reference_to
from healthrecords.fhir.resource import Resource
from healthrecords.fhir.search.params import ReferenceParam, StringParam, TokenParam
from healthrecords.fhir.search.shared import IDENTIFIER_PARAM, address_params

MAPPING = Mapping(
    Location,
    elements=(
        Element("status", "status", p.CODE_TYPE),
        Element("name", "name"),
        Element("description", "description"),
        Element("managingOrganization", "managing_organization_id", p.OBJECT, coder=reference_to("Organization")),
        Element("partOf", "part_of_id", p.OBJECT, coder=reference_to("Location")),
    ),
    parts=(
        Parts("identifier", LocationIdentifier, "identifiers", d.IDENTIFIER),
        Parts("telecom", LocationTelecom, "telecoms", d.TELECOM),
        Parts("address", LocationAddress, "addresses", d.ADDRESS, single=True),
    ),
    others=frozenset(
        {"operationalStatus", "alias", "mode", "type", "physicalType", "position", "hoursOfOperation"}
        | {"availabilityExceptions", "endpoint"}
    ),
)

LOCATION = Resource(
    "Location",
    MAPPING,
    search=(
        IDENTIFIER_PARAM,
        StringParam("name", key="name_key", exact=("name",)),
        *address_params(),
        TokenParam("status", column="status", system="http://hl7.org/fhir/location-status"),
        ReferenceParam("organization", targets={"Organization": "managing_organization_id"}),
        ReferenceParam("partof", targets={"Location": "part_of_id"}),
    ),
    summary=frozenset(
        {"implicitRules", "identifier", "status", "operationalStatus", "name", "description", "mode", "type"}
        | {"physicalType", "managingOrganization"}
    ),
    sorts={"name": ("name",), "_lastUpdated": ("updated_at",), "_id": ("logical_id",)},
    directory=True,
)
