"""Organization (R4 §8.6): clinics, hospitals, payers, departments."""

from healthrecords.directory.models import (
    Organization,
    OrganizationAddress,
    OrganizationIdentifier,
    OrganizationTelecom,
)
from healthrecords.fhir import datatypes as d
from healthrecords.fhir import primitives as p
from healthrecords.fhir.mapping import Element, Mapping, Parts, reference_to
from healthrecords.fhir.resource import Resource
from healthrecords.fhir.search.params import BooleanParam, ReferenceParam, StringParam
from healthrecords.fhir.search.shared import IDENTIFIER_PARAM, address_params

MAPPING = Mapping(
    Organization,
    elements=(
        Element("active", "active", p.BOOLEAN),
        Element("name", "name"),
        Element("partOf", "part_of_id", p.OBJECT, coder=reference_to("Organization")),
    ),
    parts=(
        Parts("identifier", OrganizationIdentifier, "identifiers", d.IDENTIFIER),
        Parts("telecom", OrganizationTelecom, "telecoms", d.TELECOM),
        Parts("address", OrganizationAddress, "addresses", d.ADDRESS),
    ),
    others=frozenset({"type", "alias", "contact", "endpoint"}),
)

ORGANIZATION = Resource(
    "Organization",
    MAPPING,
    search=(
        IDENTIFIER_PARAM,
        StringParam("name", key="name_key", exact=("name",)),
        *address_params(),
        BooleanParam("active", column="active"),
        ReferenceParam("partof", targets={"Organization": "part_of_id"}),
    ),
    summary=frozenset({"implicitRules", "identifier", "active", "type", "name", "partOf"}),
    sorts={"name": ("name",), "_lastUpdated": ("updated_at",), "_id": ("logical_id",)},
    directory=True,
)
