"""What a patient's page says, in the order in which a nurse asks for it."""

from typing import Any

from healthrecords.access.request import AccessRequest
from healthrecords.console import changes, lines
from healthrecords.console.labels import GENDER
from healthrecords.console.lines import Flag, Line, Section
from healthrecords.directory.models import Organization, Practitioner
from patients import models as m
from patients.admin import labels, omb

FORMER = frozenset({"old", "temp"})


def facts(patient: m.Patient, others: dict[str, m.Patient], asked: AccessRequest) -> dict[str, Any]:
    """What the template shows. `others` are the linked patients that may be named."""
    return {
        "banner": _banner(patient),
        "flags": list(_flags(patient)),
        "sections": lines.filled(_sections(patient, others)),
        "steps": changes.history_of(changes.versions_of(asked, patient, 5)),
        "has_more": lines.has_more(patient),
    }


def age(patient: m.Patient) -> str:
    """The age in words; of the deceased, the age at which they died."""
    years = patient.age_on()
    if years is None:
        return ""
    return f"died at {years}" if patient.is_deceased else f"age {years}"


def birth(patient: m.Patient) -> str:
    """The birth date with the age."""
    said = age(patient)
    return f"{patient.birth_date}, {said}" if said else patient.birth_date or "Unknown"


def record_number(patient: m.Patient) -> str:
    """The medical record number, else nothing."""
    numbers = [each for each in patient.identifiers.all() if each.type_code in ("MR", "MRN") and not each.sealed]
    current = [each for each in numbers if each.use != "old"] or numbers
    return current[0].value if current else ""


def phone(patient: m.Patient) -> str:
    """The phone number to try first."""
    phones = [each for each in patient.telecoms.all() if each.system in ("phone", "sms", "") and each.use not in FORMER]
    best = min(phones, key=lambda each: each.rank or 99, default=None)
    return best.value if best else ""


def city(patient: m.Patient) -> str:
    """The city of the address in use."""
    homes = [each for each in patient.addresses.all() if each.use not in FORMER]
    return homes[0].city if homes else ""


def _banner(patient: m.Patient) -> list[Line]:
    born = Line("Birth date", patient.birth_date or "Unknown", age(patient))
    sex = Line("Sex", GENDER.get(patient.gender, "Not said"))
    return [born, sex, Line("MRN", record_number(patient) or "None"), Line("Phone", phone(patient) or "None")]


def _flags(patient: m.Patient) -> Any:
    if patient.is_deceased:
        yield Flag(f"Deceased {patient.deceased_at[:10]}".strip(), "grave")
    if patient.active is False:
        yield Flag("Record not in use")
    for link in patient.links.all():
        if link.type == m.LinkType.REPLACED_BY:
            yield Flag("Merged: another record replaces this one", "grave")
        elif link.type == m.LinkType.REPLACES:
            yield Flag("Replaces another record", "calm")
    if not patient.birth_date:
        yield Flag("Birth date unknown")
    elif len(patient.birth_date) < 10:
        yield Flag("Birth date not known to the day")


def _sections(patient: m.Patient, others: dict[str, m.Patient]) -> list[Section]:
    return [
        ("Identifiers", [lines.identifier(each) for each in patient.identifiers.all()]),
        ("Phone and e-mail", [lines.telecom(each) for each in patient.telecoms.all()]),
        ("Addresses", [lines.address(each) for each in patient.addresses.all()]),
        ("Contacts", [_contact(each) for each in patient.contacts.all()]),
        ("Person", _person(patient)),
        ("Care", _care(patient)),
        ("Linked records", [_link(each, others) for each in patient.links.all()]),
    ]


def _contact(each: m.PatientContact) -> Line:
    relation = each.relationship_text or labels.RELATIONSHIP.get(each.relationship_code, "") or "Contact"
    return Line(relation, str(each) or "(no name)", lines.notes(each.telecom_value, lines.period(each)))


def _person(patient: m.Patient) -> list[Line]:
    names = [lines.name(each) for each in patient.names.all()]
    said = [
        Line("Sex at birth", labels.BIRTH_SEX.get(patient.birth_sex, "")),
        Line("Marital status", labels.MARITAL.get(patient.marital_status, patient.marital_status)),
        Line("Race", omb.words_of(patient.race, omb.RACES)),
        Line("Ethnicity", omb.words_of(patient.ethnicity, omb.ETHNICITIES)),
    ]
    languages = [_language(each) for each in patient.communications.all()]
    return [*names, *said, *languages]


def _language(each: m.PatientCommunication) -> Line:
    known = labels.LANGUAGE.get(each.language_code, each.language_code)
    return Line("Language", each.language_text or known, "Preferred" if each.preferred else "")


def _care(patient: m.Patient) -> list[Line]:
    doctors = [Line("General practitioner", _doctor(each)) for each in patient.general_practitioners.all()]
    home = Organization.objects.filter(logical_id=patient.managing_organization_id).first()
    return [*doctors, *([Line("Managing organization", str(home))] if home else [])]


def _doctor(each: m.PatientGeneralPractitioner) -> str:
    """Who it is: the directory's own name, else what the record says."""
    person = Practitioner.objects.filter(logical_id=each.practitioner_id).first()
    practice = Organization.objects.filter(logical_id=each.organization_id).first()
    return str(person or practice or each.display or "Not in the directory")


def _link(each: m.PatientLink, others: dict[str, m.Patient]) -> Line:
    other = others.get(each.other_id or "")
    label = labels.LINK.get(each.type, "Linked")
    if other is None:
        return Line(label, "A record that is not open to you, or elsewhere")
    return Line(label, str(other), birth(other), f"../{other.pk}/")
