"""Consents and records for the tests of consent."""

from typing import Any

PURPOSES = "http://terminology.hl7.org/CodeSystem/v3-ActReason"
TYPES = "http://hl7.org/fhir/resource-types"
CONFIDENTIALITY = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
ROLES = "urn:healthrecords:role"


def consent(patient: str, provision: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """An active privacy consent of a patient (logical id)."""
    return {
        "resourceType": "Consent",
        "status": "active",
        "scope": {
            "coding": [{"system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "patient-privacy"}]
        },
        "category": [{"coding": [{"system": "http://loinc.org", "code": "59284-0"}]}],
        "patient": {"reference": f"Patient/{patient}"},
        "dateTime": "2026-01-05",
        "policyRule": {"coding": [{"system": f"{PURPOSES}", "code": "OPTIN"}]},
        "provision": provision,
        **changes,
    }


def deny(*inside: dict[str, Any], **criteria: Any) -> dict[str, Any]:
    return provision("deny", *inside, **criteria)


def permit(*inside: dict[str, Any], **criteria: Any) -> dict[str, Any]:
    return provision("permit", *inside, **criteria)


def provision(kind: str, *inside: dict[str, Any], **criteria: Any) -> dict[str, Any]:
    """A provision; criteria by their short names: classes, purposes, labels, roles, actors, start, end."""
    made: dict[str, Any] = {"type": kind}
    if "classes" in criteria:
        made["class"] = [{"system": TYPES, "code": each} for each in criteria["classes"]]
    if "purposes" in criteria:
        made["purpose"] = [{"system": PURPOSES, "code": each} for each in criteria["purposes"]]
    if "labels" in criteria:
        made["securityLabel"] = [{"system": CONFIDENTIALITY, "code": each} for each in criteria["labels"]]
    actors = [
        {"role": {"coding": [{"system": ROLES, "code": each}]}, "reference": {"display": each}}
        for each in criteria.get("roles", [])
    ] + [
        {"role": {"coding": [{"code": "IRCP"}]}, "reference": {"reference": each}}
        for each in criteria.get("actors", [])
    ]
    if actors:
        made["actor"] = actors
    period = {name: criteria[name] for name in ("start", "end") if name in criteria}
    if period:
        made["period"] = period
    if inside:
        made["provision"] = list(inside)
    return made


def dose(patient: str, **changes: Any) -> dict[str, Any]:
    return {
        "resourceType": "Immunization",
        "status": "completed",
        "vaccineCode": {"coding": [{"system": "http://hl7.org/fhir/sid/cvx", "code": "140"}]},
        "patient": {"reference": f"Patient/{patient}"},
        "occurrenceDateTime": "2025-10-01",
        "lotNumber": "L1",
        **changes,
    }


def labelled(code: str) -> dict[str, Any]:
    return {"security": [{"system": CONFIDENTIALITY, "code": code}]}
