"""One immunization with everything, as an integrator sends it."""

SID = "http://hl7.org/fhir/sid"
TERMINOLOGY = "http://terminology.hl7.org/CodeSystem"
SNOMED = "http://snomed.info/sct"


def coded(system, code, **more):
    return {"coding": [{"system": system, "code": code}], **more}


def given(patient="p1", **changes):
    """An immunization of a patient (a logical id, or a whole Reference) that searches of every kind find."""
    return {
        "resourceType": "Immunization",
        "identifier": [{"system": "urn:example:iis", "value": "IIS-7"}],
        "status": "completed",
        "statusReason": coded(f"{TERMINOLOGY}/v3-ActReason", "IMMUNE"),
        "vaccineCode": {
            "coding": [
                {"system": f"{SID}/cvx", "code": "08", "display": "Hep B, adolescent or pediatric"},
                {"system": f"{SID}/ndc", "code": "58160-0820-52"},
            ],
            "text": "Engerix-B",
        },
        "patient": patient if isinstance(patient, dict) else {"reference": f"Patient/{patient}"},
        "encounter": {"reference": "Encounter/e1"},
        "occurrenceDateTime": "2024-05",
        "recorded": "2024-05-18",
        "primarySource": True,
        "location": {"reference": "Location/l1"},
        "manufacturer": {"reference": "Organization/o1"},
        "lotNumber": "AB-12 x",
        "expirationDate": "2026-01-31",
        "site": coded(f"{TERMINOLOGY}/v3-ActSite", "LA"),
        "route": coded(f"{TERMINOLOGY}/v3-RouteOfAdministration", "IM"),
        "doseQuantity": {"value": 0.5, "unit": "mL", "system": "http://unitsofmeasure.org", "code": "mL"},
        "performer": [
            {"function": coded(f"{TERMINOLOGY}/v2-0443", "AP"), "actor": {"reference": "Practitioner/n1"}},
            {"actor": {"reference": "Organization/o2"}},
        ],
        "note": [{"text": "Was calm."}],
        "reasonCode": [coded(SNOMED, "429060002"), {"text": "work"}],
        "reasonReference": [{"reference": "Condition/c1"}],
        "isSubpotent": False,
        "education": [{"documentType": "VIS", "presentationDate": "2024-05-17"}],
        "programEligibility": [coded(f"{TERMINOLOGY}/immunization-program-eligibility", "ineligible")],
        "fundingSource": coded(f"{TERMINOLOGY}/immunization-funding-source", "private"),
        "reaction": [{"date": "2024-05-19", "detail": {"reference": "Observation/r1"}, "reported": True}],
        "protocolApplied": [
            {"series": "Childhood Hép B", "targetDisease": [coded(SNOMED, "66071002")], "doseNumberPositiveInt": 2}
        ],
        **changes,
    }
