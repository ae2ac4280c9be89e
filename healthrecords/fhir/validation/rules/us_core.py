"""Invariants of the US Core profiles and of R4's vital signs, by key and the path where the profile states them."""

import re
from typing import Any

from .datatypes import UCUM
from .registry import JSON, Scope, coded, has, invariant, listed, text_of, within

_ABSENT = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
_ISSUED = ("partial", "preliminary", "final", "amended", "corrected", "appended")
_ORDERS = ("order", "original-order", "reflex-order", "filler-order", "instance-order")


@invariant("us-core-6@Patient.name", "us-core-8@Patient.name")
def name_or_reason(name: JSON, scope: Scope) -> bool:
    """A name has a family or given name, or says why it is absent; not both."""
    absent = any(each.get("url") == _ABSENT for each in listed(name, "extension"))
    return has(name, "family", "given") != absent


@invariant("us-core-6@DocumentReference.content.attachment")
def attachment_is_reachable(attachment: JSON, scope: Scope) -> bool:
    return has(attachment, "url", "data")


@invariant("provenance-1@Provenance.agent")
def author_acts_for_an_organization(agent: JSON, scope: Scope) -> bool:
    """A practitioner or device that authored or sent something says on whose behalf."""
    who = text_of(within(agent, "who"), "reference")
    return not re.search(r"(^|/)(Practitioner|Device)/", who) or has(agent, "onBehalfOf")


@invariant("pd-1@PractitionerRole")
def role_can_be_reached(role: JSON, scope: Scope) -> bool:
    return has(role, "telecom", "endpoint")


@invariant("us-core-13@PractitionerRole")
def role_is_of_someone(role: JSON, scope: Scope) -> bool:
    return has(role, "practitioner", "organization", "healthcareService", "location")


@invariant("us-core-14@RelatedPerson")
def relative_has_name_or_relationship(person: JSON, scope: Scope) -> bool:
    return has(person, "name", "relationship")


@invariant("us-core-9@Device")
def carrier_has_production_identifiers(device: JSON, scope: Scope) -> bool:
    known = ("manufactureDate", "expirationDate", "lotNumber", "serialNumber", "distinctIdentifier")
    return not has(device, "udiCarrier") or has(device, *known)


@invariant("us-core-12@Device")
def carrier_is_readable(device: JSON, scope: Scope) -> bool:
    carriers = listed(device, "udiCarrier")
    return not carriers or any(has(each, "carrierAIDC", "carrierHRF") for each in carriers)


@invariant("us-core-15@Coverage")
def member_is_identified(coverage: JSON, scope: Scope) -> bool:
    kind = "http://terminology.hl7.org/CodeSystem/v2-0203"
    members = any(coded(within(each, "type"), kind, "MB") for each in listed(coverage, "identifier"))
    return members or has(coverage, "subscriberId")


def _identifier_matches(pattern: str) -> Any:
    def test(identifier: JSON, scope: Scope) -> bool:
        return "value" not in identifier or re.fullmatch(pattern, text_of(identifier, "value")) is not None

    return test


invariant("us-core-16@Organization.identifier", "us-core-16@Practitioner.identifier")(_identifier_matches("[0-9]{10}"))
invariant("us-core-18@Organization.identifier")(_identifier_matches("[0-9]{2}D[0-9]{7}"))
invariant("us-core-19@Organization.identifier")(_identifier_matches("[0-9]{5}"))


@invariant("us-core-17@Organization.identifier", "us-core-17@Practitioner.identifier")
def npi_has_its_check_digit(identifier: JSON, scope: Scope) -> bool:
    """The Luhn check of a National Provider Identifier, with the prefix 80840 (45 CFR 162.406)."""
    value = text_of(identifier, "value")
    if not re.fullmatch("[0-9]{10}", value):
        return True  # us-core-16 speaks of that
    digits = [int(each) * (2 if position % 2 == 0 else 1) for position, each in enumerate(value)]
    return (sum(each - 9 if each > 9 else each for each in digits) + 24) % 10 == 0


@invariant("us-core-20@MedicationDispense")
def completed_dispense_was_handed_over(dispense: JSON, scope: Scope) -> bool:
    return dispense.get("status") != "completed" or has(dispense, "whenHandedOver")


@invariant("us-core-21@MedicationRequest")
def order_has_a_requester(request: JSON, scope: Scope) -> bool:
    return request.get("intent") not in _ORDERS or has(request, "requester")


@invariant("us-core-7@Procedure")
def performed_procedure_is_dated(procedure: JSON, scope: Scope) -> bool:
    return procedure.get("status") not in ("completed", "in-progress") or has(procedure, "performed[x]")


@invariant("us-core-8@DiagnosticReport", "us-core-10@DiagnosticReport")
def issued_report_is_effective(report: JSON, scope: Scope) -> bool:
    return report.get("status") not in _ISSUED or has(report, "effective[x]")


@invariant("us-core-9@DiagnosticReport")
def issued_report_is_dated(report: JSON, scope: Scope) -> bool:
    return report.get("status") not in _ISSUED or has(report, "issued")


@invariant("us-core-23@Extension", "us-core-23@Patient.extension")
def unknown_race_stands_alone(extension: JSON, scope: Scope) -> bool:
    categories = [each for each in listed(extension, "extension") if each.get("url") == "ombCategory"]
    unknown = any(within(each, "valueCoding").get("code") in ("ASKU", "UNK") for each in categories)
    return not unknown or len(categories) == 1


@invariant("us-core-1@Observation.effective[x]", "vs-1@Observation.effective[x]")
def effective_has_a_day(value: Any, scope: Scope) -> bool:
    return not isinstance(value, str) or len(value) >= 10


@invariant("us-core-2@Observation", "vs-2@Observation")
def observation_has_a_value_or_reason(observation: JSON, scope: Scope) -> bool:
    return has(observation, "component", "hasMember", "dataAbsentReason", "value[x]")


@invariant("us-core-26@Observation.component", "vs-3@Observation.component")
def component_has_a_value_or_reason(component: JSON, scope: Scope) -> bool:
    return has(component, "dataAbsentReason", "value[x]")


@invariant("us-core-3@Observation.value[x]")
def quantity_is_in_ucum(value: Any, scope: Scope) -> bool:
    system = value.get("system") if isinstance(value, dict) else None
    return not isinstance(system, str) or "value" not in value or system == UCUM


@invariant("us-core-3@Observation")
def observed_quantity_is_in_ucum(observation: JSON, scope: Scope) -> bool:
    return within(observation, "valueQuantity").get("system", UCUM) == UCUM


@invariant("us-core-22@Observation.referenceRange")
def range_is_in_ucum(span: JSON, scope: Scope) -> bool:
    return all(within(span, name).get("system", UCUM) == UCUM for name in ("low", "high"))


@invariant("us-core-24@Observation")
def smoking_status_is_a_concept(observation: JSON, scope: Scope) -> bool:
    codes = [each.get("code") for each in listed(within(observation, "code"), "coding")]
    return not {"72166-2", "11367-0"}.intersection(map(str, codes)) or has(observation, "valueCodeableConcept")
