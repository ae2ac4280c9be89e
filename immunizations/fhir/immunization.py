"""Immunization (R4 §11.5), with all that US Core 8 asks of it."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from healthrecords.access.request import Actor
from healthrecords.fhir import datatypes as d
from healthrecords.fhir import primitives as p
from healthrecords.fhir.mapping import (
    JSON,
    MISSING,
    Coder,
    Draft,
    Element,
    Mapping,
    Parts,
    codes_in,
    coding,
    concept,
    literal_to,
    reference_to,
    to_fhir,
)
from healthrecords.fhir.outcome import Issue
from healthrecords.fhir.references import target_of
from healthrecords.fhir.resource import Resource
from healthrecords.fhir.search.concepts import ConceptParam, tokens_of
from healthrecords.fhir.search.params import AnyReferenceParam, DateParam, ReferenceParam, StringParam, TokenParam
from healthrecords.fhir.search.shared import IDENTIFIER_PARAM
from immunizations import models as m
from immunizations.duplicates.following import follow as pairs_follow
from immunizations.stock.following import follow as stock_follows
from immunizations.stock.remarks import remark

CVX, NDC, MVX = (f"http://hl7.org/fhir/sid/{name}" for name in ("cvx", "ndc", "mvx"))
CVX_OID, NDC_OID, MVX_OID = (f"urn:oid:2.16.840.1.113883.{arc}" for arc in ("12.292", "6.69", "12.227"))
TERMINOLOGY = "http://terminology.hl7.org/CodeSystem"
SNOMED = "http://snomed.info/sct"


def _take_vaccine(codings: list[Any]) -> Any:
    found = tuple(
        next((code for system in systems for code in codes_in(codings, system)), "")
        for systems in ((CVX, CVX_OID), (NDC, NDC_OID))
    )
    return found if any(found) else MISSING


def _give_vaccine(pair: tuple[str, str]) -> list[dict[str, str]]:
    return [{"system": system, "code": code} for system, code in zip((CVX, NDC), pair, strict=True) if code]


# The codings of a vaccine as CVX and NDC; once a form has changed one, translations of the old vaccine are dropped.
VACCINE = Coder(lambda value: _take_vaccine(value) if isinstance(value, list) else MISSING, _give_vaccine)


def _take_manufacturer(identifier: JSON) -> Any:
    code = identifier.get("value")
    known = identifier.get("system") in (MVX, MVX_OID) and isinstance(code, str) and len(code) <= p.CODE_TYPE.longest
    return code if known else MISSING


MANUFACTURER = Coder(_take_manufacturer, lambda code: {"system": MVX, "value": code})
DIGITS = Coder(str, Decimal)

_PERFORMER = (
    Element("function", "function", p.OBJECT, coder=concept(f"{TERMINOLOGY}/v2-0443")),
    Element("actor.reference", "practitioner_id", coder=literal_to("Practitioner")),
    Element("actor.reference", "practitioner_role_id", coder=literal_to("PractitionerRole")),
    Element("actor.reference", "organization_id", coder=literal_to("Organization")),
    Element("actor.display", "display"),
)

_NOTE = (Element("text", "text", p.MARKDOWN), Element("time", "time", p.DATETIME_TYPE))

_EDUCATION = (
    Element("documentType", "document_type"),
    Element("reference", "reference", p.URI_TYPE),
    Element("publicationDate", "publication_date", p.DATETIME_TYPE),
    Element("presentationDate", "presentation_date", p.DATETIME_TYPE),
)

_REACTION = (
    Element("date", "date", p.DATETIME_TYPE),
    Element("detail", "observation", p.OBJECT, coder=reference_to("Observation")),
    Element("reported", "reported", p.BOOLEAN),
)

_PROTOCOL = (
    Element("series", "series"),
    Element("authority", "authority_id", p.OBJECT, coder=reference_to("Organization")),
    Element("targetDisease.0.coding.0", "target_disease", p.OBJECT, coder=coding(SNOMED)),
    Element("doseNumberPositiveInt", "dose_number", p.POSITIVE_INT),
    Element("doseNumberString", "dose_number_text"),
    Element("seriesDosesPositiveInt", "series_doses", p.POSITIVE_INT),
    Element("seriesDosesString", "series_doses_text"),
)

MAPPING = Mapping(
    m.Immunization,
    elements=(
        Element("status", "status", p.CODE_TYPE),
        Element("statusReason", "status_reason", p.OBJECT, coder=concept(f"{TERMINOLOGY}/v3-ActReason")),
        Element("vaccineCode.coding", "vaccine_codes", p.OBJECT, coder=VACCINE, many=True),
        Element("vaccineCode.text", "vaccine_text"),
        Element("patient", "patient_id", p.OBJECT, coder=reference_to("Patient")),
        Element("encounter", "encounter", p.OBJECT, coder=reference_to("Encounter")),
        Element("occurrenceDateTime", "occurred", p.DATETIME_TYPE),
        Element("occurrenceString", "occurred_text"),
        Element("recorded", "recorded", p.DATETIME_TYPE),
        Element("primarySource", "primary_source", p.BOOLEAN),
        Element("reportOrigin", "report_origin", p.OBJECT, coder=concept(f"{TERMINOLOGY}/immunization-origin")),
        Element("location", "location_id", p.OBJECT, coder=reference_to("Location")),
        Element("manufacturer.reference", "manufacturer_id", coder=literal_to("Organization")),
        Element("manufacturer.identifier", "mvx", p.OBJECT, coder=MANUFACTURER),
        Element("manufacturer.display", "manufacturer_text"),
        Element("lotNumber", "lot_number", p.KEYED),
        Element("expirationDate", "expires", p.DATE_TYPE),
        Element("site", "site", p.OBJECT, coder=concept(f"{TERMINOLOGY}/v3-ActSite")),
        Element("route", "route", p.OBJECT, coder=concept(f"{TERMINOLOGY}/v3-RouteOfAdministration")),
        Element("doseQuantity.value", "dose", p.DECIMAL, coder=DIGITS),
        Element("doseQuantity.unit", "dose_unit"),
        Element("doseQuantity.code", "dose_unit_code", p.CODE_TYPE),
        Element("isSubpotent", "subpotent", p.BOOLEAN),
        Element(
            "fundingSource",
            "funding_source",
            p.OBJECT,
            coder=concept(f"{TERMINOLOGY}/immunization-funding-source"),
        ),
    ),
    parts=(
        Parts("identifier", m.ImmunizationIdentifier, "identifiers", d.IDENTIFIER),
        Parts("performer", m.ImmunizationPerformer, "performers", _PERFORMER),
        Parts("note", m.ImmunizationNote, "notes", _NOTE),
        Parts("reasonCode", m.ImmunizationReason, "reasons", d.concept_elements(SNOMED)),
        Parts("reasonReference", m.ImmunizationReasonReference, "reason_references", d.REFERENCE),
        Parts(
            "subpotentReason",
            m.ImmunizationSubpotentReason,
            "subpotent_reasons",
            d.concept_elements(f"{TERMINOLOGY}/immunization-subpotent-reason"),
        ),
        Parts("education", m.ImmunizationEducation, "educations", _EDUCATION),
        Parts(
            "programEligibility",
            m.ImmunizationEligibility,
            "eligibilities",
            d.concept_elements(f"{TERMINOLOGY}/immunization-program-eligibility"),
        ),
        Parts("reaction", m.ImmunizationReaction, "reactions", _REACTION),
        Parts("protocolApplied", m.ImmunizationProtocol, "protocols", _PROTOCOL),
    ),
)

SEARCH = (
    IDENTIFIER_PARAM,
    DateParam("date", low="occurred_from", high="occurred_until"),
    ReferenceParam("location", targets={"Location": "location_id"}),
    StringParam("lot-number", key="lot_key", exact=("lot_number",)),
    ReferenceParam("manufacturer", targets={"Organization": "manufacturer_id"}),
    ReferenceParam("patient", targets={"Patient": "patient_id"}),
    ReferenceParam(
        "performer",
        "performers",
        targets={
            "Practitioner": "practitioner_id",
            "PractitionerRole": "practitioner_role_id",
            "Organization": "organization_id",
        },
    ),
    ReferenceParam(
        "reaction", "reactions", where={"observation__isnull": False}, targets={"Observation": "observation"}
    ),
    DateParam("reaction-date", "reactions", low="date_from", high="date_until"),
    ConceptParam("reason-code", element="reasonCode"),
    AnyReferenceParam(
        "reason-reference",
        "reason_references",
        only=frozenset({"Condition", "Observation", "DiagnosticReport"}),
    ),
    StringParam("series", "protocols", key="series_key", exact=("series",)),
    TokenParam("status", column="status", system="http://hl7.org/fhir/event-status"),
    ConceptParam("status-reason", element="statusReason"),
    ConceptParam("target-disease", element="protocolApplied.targetDisease"),
    ConceptParam("vaccine-code", element="vaccineCode"),
)


def settle(draft: Draft) -> None:
    """Work out the codings by which the immunization is found."""
    draft.record.tokens = tokens_of(SEARCH, to_fhir(MAPPING, draft))  # type: ignore[attr-defined]


def check(body: JSON) -> Iterator[Issue]:
    """Refuse an immunization that names no patient of this server: it would be nobody's, and nobody might see it."""
    patient = body.get("patient")
    literal = patient.get("reference") if isinstance(patient, dict) else None
    target = target_of(literal) if isinstance(literal, str) else None
    if target is None or target[0] != "Patient":
        text = "must name the patient by a literal reference of this server, such as Patient/123"
        yield Issue("value", text, "Immunization.patient")


def written(records: Sequence[Any], _author: Actor) -> None:
    """Let the stock and the pairs of duplicate doses follow what became of immunizations."""
    stock_follows(records)
    pairs_follow(records)


IMMUNIZATION = Resource(
    "Immunization",
    MAPPING,
    SEARCH,
    summary=frozenset(
        {"implicitRules", "status", "vaccineCode", "patient", "occurrenceDateTime", "occurrenceString"}
        | {"primarySource", "performer", "note", "isSubpotent"}
    ),
    sorts={
        "date": ("occurred_from",),
        "status": ("status",),
        "vaccine-code": ("cvx",),
        "_lastUpdated": ("updated_at",),
        "_id": ("logical_id",),
    },
    settle=settle,
    check=check,
    written=written,
    remark=remark,
    required=frozenset({"status", "vaccineCode", "patient", "occurrenceDateTime", "occurrenceString"}),
)
