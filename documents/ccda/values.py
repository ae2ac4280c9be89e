"""CDA's data types as FHIR's (C-CDA on FHIR, HL7 US Realm): times, identifiers, codes, names."""

import re
from datetime import datetime
from typing import Any
from xml.etree.ElementTree import Element  # nosec B405  a type; defusedxml parses

from .reading import V3

JSON = dict[str, Any]
NS = {"v3": V3.strip("{}")}
_TIME = re.compile(r"(\d{4})(\d\d)?(\d\d)?(?:(\d\d)(\d\d)(\d\d)?(?:\.\d+)?)?([+-]\d{4})?", re.ASCII)
_OID = re.compile(r"[0-2](\.(0|[1-9][0-9]*))+")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_CODES = {"2.16.840.1.113883.6.1": "http://loinc.org", "2.16.840.1.113883.6.96": "http://snomed.info/sct"}
CONFIDENTIALITY = "2.16.840.1.113883.5.25"
_CODES[CONFIDENTIALITY] = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
_ISSUERS = {"2.16.840.1.113883.4.6": "http://hl7.org/fhir/sid/us-npi"}
LONGEST = 1000  # characters of a text that the header gives


def date_time(element: Element | None) -> str:
    """A TS as a FHIR dateTime, as precise as it is; a time of day without its zone counts as its day."""
    found = _TIME.fullmatch(element.get("value", "").strip()) if element is not None else None
    if found is None:
        return ""
    year, month, day, hour, minute, second, zone = found.groups()
    text = "-".join(filter(None, (year, month, day)))
    if hour and zone:
        text += f"T{hour}:{minute}:{second or '00'}{zone[:3]}:{zone[3:]}"
    return text if _is_real(text) else ""


def identifier(element: Element | None) -> JSON | None:
    """An II as an Identifier; None for one that identifies nothing."""
    if element is None or element.get("nullFlavor"):
        return None
    root, extension = _root(element.get("root", "").strip()), " ".join(element.get("extension", "").split())
    if extension:
        return {**({"system": root} if root else {}), "value": extension[:LONGEST]}
    return {"system": "urn:ietf:rfc:3986", "value": root} if root.startswith("urn:") else None


def concept(element: Element | None, implied: str = "") -> JSON | None:
    """A CE as a CodeableConcept, of the code system `implied` if it names none; None for one without a code."""
    code = element.get("code", "").strip() if element is not None else ""
    if element is None or not re.fullmatch(r"\S{1,100}", code):
        return None
    oid = element.get("codeSystem", "").strip() or implied
    system = _CODES.get(oid) or (f"urn:oid:{oid}" if _OID.fullmatch(oid) else "")
    display = " ".join(element.get("displayName", "").split())[:LONGEST]
    coding = {"system": system, "code": code, "display": display}
    return {"coding": [{name: value for name, value in coding.items() if value}]}


def text(element: Element | None) -> str:
    """All the text in an element, on one line."""
    return " ".join("".join(element.itertext()).split())[:LONGEST] if element is not None else ""


def name(element: Element | None) -> str:
    """A PN as people write it: the parts in their order, without the name by which somebody is called."""
    if element is None:
        return ""
    parts = [text(part) for part in element if part.get("qualifier") != "CL"] if len(element) else [text(element)]
    return " ".join(filter(None, parts))[:LONGEST]


def _root(root: str) -> str:
    if root in _ISSUERS:
        return _ISSUERS[root]
    if _OID.fullmatch(root):
        return f"urn:oid:{root}"
    return f"urn:uuid:{root.lower()}" if _UUID.fullmatch(root.lower()) else ""


def _is_real(value: str) -> bool:
    whole = value + "-01-01"[len(value) - 4 :] if len(value) < 10 else value
    try:
        datetime.fromisoformat(whole)
    except ValueError:
        return False
    return value[:4] != "0000"
