"""Consent (R4 §6.2), in the shapes of IHE Privacy Consent on FHIR 1.1 (Intermediate), with class and label."""

from collections.abc import Iterator

from documents.fhir.links import LinkParam, links_of
from healthrecords.accounts.models import Role
from healthrecords.fhir import datatypes as d
from healthrecords.fhir import primitives as p
from healthrecords.fhir.mapping import JSON, Draft, Element, Mapping, Parts, reference_to, to_fhir
from healthrecords.fhir.outcome import Issue
from healthrecords.fhir.references import target_of
from healthrecords.fhir.resource import Resource
from healthrecords.fhir.search.concepts import ConceptParam, tokens_of
from healthrecords.fhir.search.params import DateParam, Param, ReferenceParam, TokenParam
from healthrecords.fhir.search.shared import IDENTIFIER_PARAM

from . import covering, provisions
from .models import Consent, ConsentIdentifier

PRIVACY = ("http://terminology.hl7.org/CodeSystem/consentscope", "patient-privacy")

MAPPING = Mapping(
    Consent,
    elements=(
        Element("status", "status", p.CODE_TYPE),
        Element("patient", "patient_id", p.OBJECT, coder=reference_to("Patient")),
        Element("dateTime", "date", p.DATETIME_TYPE),
        Element("provision.period.start", "period_start", p.DATETIME_TYPE),
        Element("provision.period.end", "period_end", p.DATETIME_TYPE),
    ),
    parts=(Parts("identifier", ConsentIdentifier, "identifiers", d.IDENTIFIER),),
    others=frozenset({"scope", "category", "performer", "organization", "policy", "policyRule", "verification"})
    | {"sourceAttachment", "sourceReference"},
)

SEARCH: tuple[Param, ...] = (
    ConceptParam("action", element="provision.action"),
    LinkParam("actor", element="provision.actor.reference", only=tuple(sorted(provisions.ACTORS))),
    ConceptParam("category", element="category"),
    LinkParam(
        "consentor",
        element="performer",
        only=("Organization", "Patient", "Practitioner", "PractitionerRole", "RelatedPerson"),
    ),
    LinkParam("data", element="provision.data.reference"),
    DateParam("date", low="date_from", high="date_until"),
    IDENTIFIER_PARAM,
    LinkParam("organization", element="organization", only=("Organization",)),
    ReferenceParam("patient", targets={"Patient": "patient_id"}),
    DateParam("period", low="period_from", high="period_until"),
    ConceptParam("purpose", element="provision.purpose"),
    ConceptParam("scope", element="scope"),
    ConceptParam("security-label", element="provision.securityLabel"),
    LinkParam("source-reference", element="sourceReference"),
    TokenParam("status", column="status", system="http://hl7.org/fhir/consent-state-codes"),
)


def settle(draft: Draft) -> None:
    """Work out the codings and references by which the consent is found."""
    resource = to_fhir(MAPPING, draft)
    draft.record.tokens = tokens_of(SEARCH, resource)  # type: ignore[attr-defined]
    draft.record.links = links_of(SEARCH, resource)  # type: ignore[attr-defined]


def check(body: JSON) -> Iterator[Issue]:
    """Refuse what the decision would not evaluate: it must never be stored and ignored."""
    target = target_of(body.get("patient", {}).get("reference") or "")
    if target is None or target[0] != "Patient":
        text = "must name the patient by a literal reference of this server, such as Patient/123"
        yield Issue("value", text, "Consent.patient")
    codings = {(each.get("system"), each.get("code")) for each in body["scope"].get("coding", [])}
    if codings != {PRIVACY}:
        yield Issue("not-supported", "Only consents of the scope patient-privacy are served.", "Consent.scope")
    if "modifierExtension" in body:
        yield Issue("not-supported", "A consent may not carry modifier extensions.", "Consent.modifierExtension")
    found = list(provisions.faults(body))
    yield from found
    if not found:
        yield from _unknown_roles(provisions.read(body["provision"]))


def _unknown_roles(root: provisions.Node) -> Iterator[Issue]:
    named = {actor.removeprefix("role:") for actor in _actors(root) if actor.startswith("role:")}
    known = set(Role.objects.filter(name__in=named).values_list("name", flat=True)) if named else set()
    for name in sorted(named - known):
        yield Issue("not-supported", f"There is no role '{name[:40]}' on this server.", "Consent.provision.actor")


def _actors(node: provisions.Node) -> Iterator[str]:
    yield from node.actors or ()
    for child in node.children:
        yield from _actors(child)


CONSENT = Resource(
    "Consent",
    MAPPING,
    SEARCH,
    summary=frozenset({"implicitRules", "identifier", "status", "scope", "category", "patient", "dateTime"})
    | frozenset({"organization", "sourceAttachment", "sourceReference", "policyRule", "provision"}),
    sorts={
        "date": ("date_from",),
        "status": ("status",),
        "_lastUpdated": ("updated_at",),
        "_id": ("logical_id",),
    },
    settle=settle,
    check=check,
    written=covering.settle,
    follow=covering.follow,
    required=frozenset({"status", "scope", "category", "patient", "provision"}),
)
