"""Practitioner (R4 §8.4): the people who give care."""

from healthrecords.directory.models import (
    Practitioner,
    PractitionerAddress,
    PractitionerIdentifier,
    PractitionerName,
    PractitionerTelecom,
)
from healthrecords.fhir import datatypes as d
from healthrecords.fhir import primitives as p
from healthrecords.fhir.mapping import Draft, Element, Mapping, Parts
from healthrecords.fhir.resource import Resource
from healthrecords.fhir.search.params import BooleanParam
from healthrecords.fhir.search.shared import IDENTIFIER_PARAM, name_params, telecom_params

MAPPING = Mapping(
    Practitioner,
    elements=(
        Element("active", "active", p.BOOLEAN),
        Element("gender", "gender", p.CODE_TYPE),
        Element("birthDate", "birth_date", p.DATE_TYPE),
    ),
    parts=(
        Parts("identifier", PractitionerIdentifier, "identifiers", d.IDENTIFIER),
        Parts("name", PractitionerName, "names", d.NAME),
        Parts("telecom", PractitionerTelecom, "telecoms", d.TELECOM),
        Parts("address", PractitionerAddress, "addresses", d.ADDRESS),
    ),
    others=frozenset({"photo", "qualification", "communication"}),
)


def settle(draft: Draft) -> None:
    """Show the practitioner by the first name that has any text."""
    draft.record.name = next(filter(None, map(str, draft.parts["names"])), "")  # type: ignore[attr-defined]
    draft.record.derive()


PRACTITIONER = Resource(
    "Practitioner",
    MAPPING,
    search=(IDENTIFIER_PARAM, *name_params(), *telecom_params(), BooleanParam("active", column="active")),
    summary=frozenset({"implicitRules", "identifier", "active", "name", "telecom", "address", "gender", "birthDate"}),
    sorts={"name": ("name",), "_lastUpdated": ("updated_at",), "_id": ("logical_id",)},
    settle=settle,
    directory=True,
)
