"""What the header of a C-CDA says, as elements of a DocumentReference, and whom it is about (CDA R2 §4.2)."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from xml.etree.ElementTree import Element  # nosec B405  a type; defusedxml parses

from healthrecords.text import fold
from patients.models import Patient

from .values import CONFIDENTIALITY, JSON, NS, concept, date_time, identifier, name, text

_RELATIONS = {"RPLC": "replaces", "APND": "appends", "XFRM": "transforms"}


@dataclass(frozen=True)
class Subject:
    """The patient as the document names them; dates are as precise as they are."""

    name: str
    families: frozenset[str]
    givens: frozenset[str]
    birth_date: str

    def clearly_differs(self, patient: Patient) -> bool:
        """Whether this is somebody else: another birth date, or no name in common; what is unknown does not differ."""
        born = min(len(self.birth_date), len(patient.birth_date))
        if born and self.birth_date[:born] != patient.birth_date[:born]:
            return True
        names = list(patient.names.all())
        families = {fold(each.family) for each in names if each.family}
        givens = {fold(given) for each in names for given in each.given}
        if not (families and self.families):
            return False
        return not (families & self.families or (born and givens & self.givens))


def subject_of(root: Element) -> Subject:
    """Whom the document is about."""
    person = root.find("v3:recordTarget/v3:patientRole/v3:patient", NS)
    names = person.findall("v3:name", NS) if person is not None else []
    birth = date_time(person.find("v3:birthTime", NS))[:10] if person is not None else ""
    return Subject(
        name=name(names[0]) if names else "",
        families=frozenset(filter(None, (fold(text(each)) for one in names for each in one.findall("v3:family", NS)))),
        givens=frozenset(filter(None, (fold(text(each)) for one in names for each in one.findall("v3:given", NS)))),
        birth_date=birth,
    )


def elements_of(root: Element) -> JSON:
    """The elements of a DocumentReference that the header fills, those that it says nothing of left out.

    R4 wants an instant as `date`: an effectiveTime without time and zone gives the attachment's `creation` alone.
    """
    time, title = date_time(root.find("v3:effectiveTime", NS)), text(root.find("v3:title", NS))
    return _said(
        masterIdentifier=identifier(root.find("v3:id", NS)),
        identifier=_listed(identifier(root.find("v3:setId", NS))),
        type=concept(root.find("v3:code", NS)),
        date=time if "T" in time else "",
        author=list(_authors(root)),
        authenticator=_person(root.find("v3:legalAuthenticator/v3:assignedEntity", NS)),
        custodian=_organization(root.find("v3:custodian/v3:assignedCustodian/v3:representedCustodianOrganization", NS)),
        relatesTo=list(_relations(root)),
        description=title,
        securityLabel=_listed(concept(root.find("v3:confidentialityCode", NS), CONFIDENTIALITY)),
        context=_said(period=_period(root)),
    )


def attachment_of(root: Element) -> JSON:
    """What the header says of the content itself."""
    language = root.find("v3:languageCode", NS)
    return _said(
        title=text(root.find("v3:title", NS)),
        creation=date_time(root.find("v3:effectiveTime", NS)),
        language=language.get("code", "").strip() if language is not None else "",
    )


def _authors(root: Element) -> Iterator[JSON]:
    for each in root.findall("v3:author/v3:assignedAuthor", NS):
        device = each.find("v3:assignedAuthoringDevice", NS)
        found = _person(each) or _device(device) or _organization(each.find("v3:representedOrganization", NS))
        if found:
            yield found


def _person(entity: Element | None) -> JSON | None:
    called = name(entity.find("v3:assignedPerson/v3:name", NS)) if entity is not None else ""
    return _reference("Practitioner", called, entity) if called else None


def _device(device: Element | None) -> JSON | None:
    if device is None:
        return None
    called = text(device.find("v3:softwareName", NS)) or text(device.find("v3:manufacturerModelName", NS))
    return _reference("Device", called, None) if called else None


def _organization(each: Element | None) -> JSON | None:
    called = text(each.find("v3:name", NS)) if each is not None else ""
    return _reference("Organization", called, each) if called else None


def _reference(kind: str, display: str, holder: Element | None) -> JSON:
    """A reference by identifier and name: the header knows no ids of this server."""
    found = identifier(holder.find("v3:id", NS)) if holder is not None else None
    return _said(type=kind, identifier=found, display=display)


def _relations(root: Element) -> Iterator[JSON]:
    for each in root.findall("v3:relatedDocument", NS):
        code, parent = _RELATIONS.get(each.get("typeCode", "")), identifier(each.find("v3:parentDocument/v3:id", NS))
        if code and parent:
            yield {"code": code, "target": {"type": "DocumentReference", "identifier": parent}}


def _period(root: Element) -> JSON | None:
    """The time of the care that the document tells of."""
    time = root.find("v3:documentationOf/v3:serviceEvent/v3:effectiveTime", NS)
    if time is None:
        return None
    start, end = date_time(time.find("v3:low", NS)), date_time(time.find("v3:high", NS))
    return _said(start=start, end=end if end[:10] >= start[:10] else "")


def _listed(value: JSON | None) -> list[JSON]:
    return [value] if value else []


def _said(**elements: Any) -> JSON:
    return {element: value for element, value in elements.items() if value}
