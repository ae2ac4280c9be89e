"""DocumentReference (R4 §2.6), with all that US Core 8 asks of it."""

from collections.abc import Iterator

from documents import models as m
from documents.fhir.inline import check_content, stored, uses
from documents.fhir.links import LinkParam, RelationshipParam, UriParam, links_of
from healthrecords.fhir import datatypes as d
from healthrecords.fhir import primitives as p
from healthrecords.fhir.mapping import JSON, Draft, Element, Mapping, Parts, coding, reference_to, to_fhir
from healthrecords.fhir.outcome import Issue
from healthrecords.fhir.references import target_of
from healthrecords.fhir.resource import Resource
from healthrecords.fhir.search.concepts import ConceptParam, tokens_of
from healthrecords.fhir.search.params import (
    Condition,
    DateParam,
    IdentifierParam,
    ModelClass,
    Param,
    ReferenceParam,
    StringParam,
    TokenParam,
)

LOINC = "http://loinc.org"
RELATION = "http://hl7.org/fhir/document-relationship-type"
ADDRESS = p.Primitive("uri", 2000)

_CONTENT = (
    Element("attachment.contentType", "content_type", p.CODE_TYPE),
    Element("attachment.language", "language", p.CODE_TYPE),
    Element("attachment.url", "url", ADDRESS),
    Element("attachment.title", "title"),
    Element("attachment.creation", "creation", p.DATETIME_TYPE),
    Element("attachment.size", "size", p.INTEGER),
)

MAPPING = Mapping(
    m.DocumentReference,
    elements=(
        Element("status", "status", p.CODE_TYPE),
        Element("docStatus", "doc_status", p.CODE_TYPE),
        Element("type.coding.0", "type_code", p.OBJECT, coder=coding(LOINC)),
        Element("type.text", "type_text"),
        Element("subject", "patient_id", p.OBJECT, coder=reference_to("Patient")),
        Element("date", "date", p.Primitive("instant", 40)),
        Element("description", "description"),
        Element("context.period.start", "period_start", p.DATETIME_TYPE),
        Element("context.period.end", "period_end", p.DATETIME_TYPE),
    ),
    parts=(
        Parts("masterIdentifier", m.DocumentMasterIdentifier, "master_identifiers", d.IDENTIFIER, single=True),
        Parts("identifier", m.DocumentIdentifier, "identifiers", d.IDENTIFIER),
        Parts(
            "relatesTo",
            m.DocumentRelation,
            "relations",
            (
                Element("code", "code", p.CODE_TYPE),
                Element("target.reference", "target", coder=d.ANY_LITERAL),
                Element("target.display", "display"),
            ),
        ),
        Parts("content", m.DocumentContent, "contents", _CONTENT),
    ),
    others=frozenset({"category", "author", "authenticator", "custodian", "securityLabel", "context"}),
)


class AnyIdentifierParam(IdentifierParam):
    """The identifiers of the document and of its version alike."""

    def condition(self, model: ModelClass, modifier: str, values: list[str]) -> Condition:
        if modifier in ("not", "missing"):
            return super().condition(model, modifier, values)
        master = IdentifierParam(self.name, "master_identifiers").condition(model, modifier, values)
        return super().condition(model, modifier, values) | master


SEARCH: tuple[Param, ...] = (
    LinkParam("authenticator", element="authenticator", only=("Practitioner", "PractitionerRole", "Organization")),
    LinkParam(
        "author",
        element="author",
        only=("Practitioner", "PractitionerRole", "Organization", "Device", "Patient", "RelatedPerson"),
    ),
    ConceptParam("category", element="category"),
    TokenParam("contenttype", "contents", column="content_type", system="urn:ietf:bcp:13"),
    LinkParam("custodian", element="custodian", only=("Organization",)),
    DateParam("date", low="date_from", high="date_until"),
    StringParam("description", key="description_key", exact=("description",)),
    LinkParam("encounter", element="context.encounter", only=("Encounter", "EpisodeOfCare")),
    ConceptParam("event", element="context.event"),
    ConceptParam("facility", element="context.facilityType"),
    ConceptParam("format", element="content.format"),
    AnyIdentifierParam("identifier"),
    TokenParam("language", "contents", column="language", system="urn:ietf:bcp:47"),
    UriParam("location", "contents", column="url"),
    ReferenceParam("patient", targets={"Patient": "patient_id"}),
    DateParam("period", low="period_from", high="period_until"),
    LinkParam("related", element="context.related"),
    LinkParam("relatesto", element="relatesTo.target", only=("DocumentReference",)),
    TokenParam("relation", "relations", column="code", system=RELATION),
    RelationshipParam("relationship"),
    ConceptParam("security-label", element="securityLabel"),
    ConceptParam("setting", element="context.practiceSetting"),
    TokenParam("status", column="status", system="http://hl7.org/fhir/document-reference-status"),
    ReferenceParam("subject", targets={"Patient": "patient_id"}),
    ConceptParam("type", element="type"),
)


def settle(draft: Draft) -> None:
    """Work out the codings and references by which the document is found."""
    resource = to_fhir(MAPPING, draft)
    draft.record.tokens = tokens_of(SEARCH, resource)  # type: ignore[attr-defined]
    draft.record.links = links_of(SEARCH, resource)  # type: ignore[attr-defined]


def check(body: JSON) -> Iterator[Issue]:
    """Refuse a document of no patient of this server, and content that is another patient's."""
    subject = body.get("subject")
    literal = subject.get("reference") if isinstance(subject, dict) else None
    target = target_of(literal) if isinstance(literal, str) else None
    if target is None or target[0] != "Patient":
        text = "must name the patient by a literal reference of this server, such as Patient/123"
        yield Issue("value", text, "DocumentReference.subject")
    else:
        yield from check_content(body, target[1])


DOCUMENT_REFERENCE = Resource(
    "DocumentReference",
    MAPPING,
    SEARCH,
    summary=frozenset({"implicitRules", "masterIdentifier", "identifier", "status", "docStatus", "type", "category"})
    | frozenset({"subject", "date", "author", "authenticator", "relatesTo", "description", "securityLabel", "content"}),
    sorts={
        "date": ("date_from",),
        "status": ("status",),
        "_lastUpdated": ("updated_at",),
        "_id": ("logical_id",),
    },
    settle=settle,
    check=check,
    receive=stored,
    written=uses,
    required=frozenset({"status", "content"}),
)
