"""Provenance (R4 §6.3)."""

from healthrecords.fhir import datatypes as d
from healthrecords.fhir import primitives as p
from healthrecords.fhir.mapping import ANY_LITERAL, Draft, Element, Mapping, Parts, concept, reference_to, to_fhir
from healthrecords.fhir.resource import Resource
from healthrecords.fhir.search.concepts import ConceptParam, tokens_of
from healthrecords.fhir.search.params import AnyReferenceParam, DateParam, InstantParam, ReferenceParam

from .models import Provenance, ProvenanceAgent, ProvenanceEntity, ProvenanceTarget
from .patients import follow, gather

PARTICIPATION = "http://terminology.hl7.org/CodeSystem/provenance-participant-type"
AGENTS = frozenset({"Practitioner", "PractitionerRole", "RelatedPerson", "Patient", "Device", "Organization"})

_AGENT = (
    Element("type", "type", p.OBJECT, coder=concept(PARTICIPATION)),
    Element("who.reference", "who", coder=ANY_LITERAL),
    Element("who.display", "who_display"),
    Element("onBehalfOf.reference", "on_behalf_of", coder=ANY_LITERAL),
)

_ENTITY = (
    Element("role", "role", p.CODE_TYPE),
    Element("what.reference", "target", coder=ANY_LITERAL),
    Element("what.display", "display"),
)

MAPPING = Mapping(
    Provenance,
    elements=(
        Element("recorded", "recorded", p.DATETIME_TYPE),
        Element("occurredDateTime", "occurred", p.DATETIME_TYPE),
        Element("occurredPeriod.start", "period_start", p.DATETIME_TYPE),
        Element("occurredPeriod.end", "period_end", p.DATETIME_TYPE),
        Element(
            "activity", "activity", p.OBJECT, coder=concept("http://terminology.hl7.org/CodeSystem/v3-DataOperation")
        ),
        Element("location", "location_id", p.OBJECT, coder=reference_to("Location")),
    ),
    parts=(
        Parts("target", ProvenanceTarget, "targets", d.REFERENCE, most=20_000),
        Parts("agent", ProvenanceAgent, "agents", _AGENT),
        Parts("entity", ProvenanceEntity, "entities", _ENTITY),
    ),
    others=frozenset({"policy", "reason", "signature"}),
)

SEARCH = (
    AnyReferenceParam("agent", "agents", only=AGENTS, kind="who_type", key="who_id"),
    ConceptParam("agent-role", element="agent.role"),
    ConceptParam("agent-type", element="agent.type"),
    AnyReferenceParam("entity", "entities"),
    ReferenceParam("location", targets={"Location": "location_id"}),
    AnyReferenceParam("patient", "targets", where={"target_type": "Patient"}, only=frozenset({"Patient"})),
    InstantParam("recorded", low="recorded_at"),
    ConceptParam("signature-type", element="signature.type"),
    AnyReferenceParam("target", "targets"),
    DateParam("when", low="occurred_from", high="occurred_until"),
)


def settle(draft: Draft) -> None:
    """Work out the codings by which the provenance is found."""
    draft.record.tokens = tokens_of(SEARCH, to_fhir(MAPPING, draft))  # type: ignore[attr-defined]


PROVENANCE: Resource = Resource(
    "Provenance",
    MAPPING,
    SEARCH,
    summary=frozenset({"implicitRules", "target", "recorded"}),
    sorts={"recorded": ("recorded_at",), "_lastUpdated": ("updated_at",), "_id": ("logical_id",)},
    settle=settle,
    required=frozenset({"target", "recorded", "agent"}),
    gather=gather,
    follow=lambda versions: follow(PROVENANCE, versions),
)
