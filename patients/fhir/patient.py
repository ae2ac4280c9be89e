"""Patient (R4 §8.1), with US Core's race, ethnicity and birth sex."""

from typing import Any

from healthrecords.fhir import datatypes as d
from healthrecords.fhir import primitives as p
from healthrecords.fhir.mapping import (
    MISSING,
    Coder,
    Draft,
    Element,
    Mapping,
    Parts,
    coding,
    concept,
    literal_to,
    reference_to,
)
from healthrecords.fhir.resource import Resource
from healthrecords.fhir.search.params import BooleanParam, DateParam, ReferenceParam, TokenParam
from healthrecords.fhir.search.shared import IDENTIFIER_PARAM, address_params, name_params, telecom_params
from patients.fhir.uscore import SLICES
from patients.models import (
    Patient,
    PatientAddress,
    PatientCommunication,
    PatientContact,
    PatientGeneralPractitioner,
    PatientIdentifier,
    PatientLink,
    PatientName,
    PatientTelecom,
)

MARITAL_STATUS = "http://terminology.hl7.org/CodeSystem/v3-MaritalStatus"
CONTACT_RELATIONSHIP = "http://terminology.hl7.org/CodeSystem/v2-0131"

_CONTACT = (
    Element("relationship.0.coding.0", "relationship_code", p.OBJECT, coder=coding(CONTACT_RELATIONSHIP)),
    Element("relationship.0.text", "relationship_text"),
    Element("name.family", "family"),
    Element("name.given", "given", many=True),
    Element("name.text", "name_text"),
    Element("telecom.0.system", "telecom_system", p.CODE_TYPE),
    Element("telecom.0.value", "telecom_value", p.KEYED),
    Element("gender", "gender", p.CODE_TYPE),
    Element("organization", "organization_id", p.OBJECT, coder=reference_to("Organization")),
    *d.PERIOD,
)


def _take_language(coding: dict[str, Any]) -> Any:
    system, code = coding.get("system", ""), coding.get("code")
    fits = isinstance(system, str) and isinstance(code, str) and len(code) <= p.CODE_TYPE.longest
    return (system, code) if fits else MISSING


def _give_language(column: tuple[str, str]) -> dict[str, str]:
    system, code = column
    return {"system": system, "code": code} if system else {"code": code}


LANGUAGE = Coder(_take_language, _give_language)

_COMMUNICATION = (
    Element("language.coding.0", "language_coding", p.OBJECT, coder=LANGUAGE),
    Element("language.text", "language_text"),
    Element("preferred", "preferred", p.BOOLEAN),
)

_GENERAL_PRACTITIONER = (
    Element("reference", "practitioner_id", coder=literal_to("Practitioner")),
    Element("reference", "organization_id", coder=literal_to("Organization")),
    Element("reference", "practitioner_role", coder=literal_to("PractitionerRole")),
    Element("display", "display"),
)

_LINK = (
    Element("other", "other_id", p.OBJECT, coder=reference_to("Patient")),
    Element("type", "type", p.CODE_TYPE),
)

MAPPING = Mapping(
    Patient,
    elements=(
        Element("active", "active", p.BOOLEAN),
        Element("gender", "gender", p.CODE_TYPE),
        Element("birthDate", "birth_date", p.DATE_TYPE),
        Element("deceasedBoolean", "deceased", p.BOOLEAN),
        Element("deceasedDateTime", "deceased_at", p.DATETIME_TYPE),
        Element("maritalStatus", "marital_status", p.OBJECT, coder=concept(MARITAL_STATUS, only=True)),
        Element("managingOrganization", "managing_organization_id", p.OBJECT, coder=reference_to("Organization")),
    ),
    parts=(
        Parts("identifier", PatientIdentifier, "identifiers", d.IDENTIFIER),
        Parts("name", PatientName, "names", d.NAME),
        Parts("telecom", PatientTelecom, "telecoms", d.TELECOM),
        Parts("address", PatientAddress, "addresses", d.ADDRESS),
        Parts("contact", PatientContact, "contacts", _CONTACT),
        Parts("communication", PatientCommunication, "communications", _COMMUNICATION),
        Parts("generalPractitioner", PatientGeneralPractitioner, "general_practitioners", _GENERAL_PRACTITIONER),
        Parts("link", PatientLink, "links", _LINK),
    ),
    slices=SLICES,
    others=frozenset({"multipleBirthBoolean", "multipleBirthInteger", "photo"}),
)

SEARCH = (
    IDENTIFIER_PARAM,
    *name_params(),
    DateParam("birthdate", low="birth_from", high="birth_until"),
    TokenParam("gender", column="gender", system="http://hl7.org/fhir/administrative-gender"),
    *address_params(),
    *telecom_params(),
    BooleanParam("active", column="active"),
    BooleanParam("deceased", column="is_deceased"),
    ReferenceParam(
        "general-practitioner",
        "general_practitioners",
        targets={
            "Practitioner": "practitioner_id",
            "Organization": "organization_id",
            "PractitionerRole": "practitioner_role",
        },
    ),
    ReferenceParam("organization", targets={"Organization": "managing_organization_id"}),
    ReferenceParam("link", "links", targets={"Patient": "other_id"}),
    TokenParam("language", "communications", column="language_code", system_column="language_system"),
)


def settle(draft: Draft) -> None:
    """Work out the name that lists show and sort by."""
    draft.record.derive_name(draft.parts["names"])  # type: ignore[attr-defined]


PATIENT = Resource(
    "Patient",
    MAPPING,
    SEARCH,
    summary=frozenset(
        {"implicitRules", "identifier", "active", "name", "telecom", "gender", "birthDate", "address"}
        | {"deceasedBoolean", "deceasedDateTime", "managingOrganization", "link"}
    ),
    sorts={
        "family": ("sort_family",),
        "given": ("sort_given",),
        "name": ("sort_family", "sort_given"),
        "birthdate": ("birth_from",),
        "gender": ("gender",),
        "_lastUpdated": ("updated_at",),
        "_id": ("logical_id",),
    },
    settle=settle,
)
