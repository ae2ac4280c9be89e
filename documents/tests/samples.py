"""Documents and content as an integrator sends them."""

import base64
import os

LOINC = "http://loinc.org"
PDF = b"%PDF-1.7\nmarker-of-a-clinical-letter\n%%EOF\n"


def document(patient="p1", attachment=None, **changes):
    """A document of a patient that searches of every kind find; `attachment` replaces its content's."""
    return {
        "resourceType": "DocumentReference",
        "masterIdentifier": {"system": "urn:example:docs", "value": "D-1.2"},
        "identifier": [{"system": "urn:example:docs", "value": "D-1"}],
        "status": "current",
        "docStatus": "final",
        "type": {"coding": [{"system": LOINC, "code": "34133-9", "display": "Summary of episode note"}], "text": "CCD"},
        "category": [
            {
                "coding": [
                    {
                        "system": "http://hl7.org/fhir/us/core/CodeSystem/us-core-documentreference-category",
                        "code": "clinical-note",
                    }
                ]
            }
        ],
        "subject": {"reference": f"Patient/{patient}"},
        "date": "2024-05-17T10:00:00.123-04:00",
        "author": [{"reference": "Practitioner/a1"}, {"reference": "Organization/o1", "display": "Harbour"}],
        "authenticator": {"reference": "Practitioner/a2"},
        "custodian": {"reference": "Organization/o2"},
        "relatesTo": [{"code": "replaces", "target": {"reference": "DocumentReference/older"}}],
        "description": "Discharge after hip surgery",
        "securityLabel": [
            {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "N"}]}
        ],
        "content": [
            {
                "attachment": attachment
                or {"contentType": "application/pdf", "url": "https://elsewhere.example/a.pdf", "title": "Letter"},
                "format": {"system": "urn:oid:1.3.6.1.4.1.19376.1.2.3", "code": "urn:ihe:pcc:xphr:2007"},
            }
        ],
        "context": {
            "encounter": [{"reference": "Encounter/e1"}],
            "event": [{"coding": [{"system": "http://snomed.info/sct", "code": "52734007"}]}],
            "period": {"start": "2024-05-10", "end": "2024-05-17"},
            "facilityType": {"coding": [{"system": "http://snomed.info/sct", "code": "22232009"}]},
            "practiceSetting": {"coding": [{"system": "http://snomed.info/sct", "code": "408467006"}]},
            "related": [{"reference": "Observation/r1"}],
        },
        **changes,
    }


def inline(data=PDF, **more):
    """An attachment that brings its content along."""
    return {"contentType": "application/pdf", "data": base64.b64encode(data).decode(), **more}


def noise(size):
    """Content that no compression makes smaller."""
    return os.urandom(size)
