"""The history of a record in words: who, when, and what differs from the version before."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from healthrecords.access import policy
from healthrecords.access.request import AccessRequest
from healthrecords.fhir.datatypes import NATIONAL_TYPES, SSN_SYSTEMS
from healthrecords.fhir.resource import resource_of
from healthrecords.jsontext import parse_json
from healthrecords.records import Record, RecordVersion

JSON = dict[str, Any]
MOST = 100  # versions on one page

LABELS = {
    "active": "In use", "name": "Name", "telecom": "Phone and e-mail", "gender": "Sex", "birthDate": "Birth date",
    "deceasedBoolean": "Deceased", "deceasedDateTime": "Date of death", "address": "Address",
    "maritalStatus": "Marital status", "contact": "Contacts", "communication": "Languages",
    "generalPractitioner": "General practitioner", "managingOrganization": "Managing organization",
    "link": "Linked records", "identifier": "Identifiers", "partOf": "Part of", "status": "Status",
    "description": "Description", "qualification": "Qualifications", "multipleBirthInteger": "Birth order",
    "multipleBirthBoolean": "Multiple birth", "photo": "Photo",
    "us-core-race": "Race", "us-core-ethnicity": "Ethnicity", "us-core-birthsex": "Birth sex",
}  # fmt: skip
UNSHOWN = frozenset({"resourceType", "id", "meta", "text"})
DONE = {"create": "Created", "update": "Changed", "delete": "Deleted"}


@dataclass(frozen=True)
class Difference:
    """One element that differs: its label, and both values in words."""

    label: str
    before: str
    after: str


@dataclass(frozen=True)
class Step:
    """One version: who wrote it, when, and how it differs from the one before."""

    version: int
    done: str
    author: str
    time: datetime
    differences: list[Difference] = field(default_factory=list)


def history_of(versions: list[RecordVersion]) -> list[Step]:
    """The steps of `versions`, newest first; the oldest one has nothing to differ from."""
    older: list[RecordVersion | None] = [*versions[1:], None]
    return [_step(version, before) for version, before in zip(versions, older, strict=True)]


def versions_of(asked: AccessRequest, record: Record, most: int = MOST) -> list[RecordVersion]:
    """The newest versions of a record that the asker may see, newest first."""
    return list(_seen(asked, record).order_by("-version")[:most])


def since(asked: AccessRequest, record: Record, version: int) -> list[Difference]:
    """What differs between `version` of a record, if it may be seen, and what it is now."""
    rows = _seen(asked, record)
    then = rows.filter(version=version).first()
    now = rows.filter(version=record.version).first()
    return differences(_content(then), _content(now)) if then and now else []


def _seen(asked: AccessRequest, record: Record) -> policy.Versions:
    name = resource_of(type(record)).name
    rows = RecordVersion.objects.filter(resource_type=name, logical_id=record.logical_id)
    return policy.visible_versions(rows, asked.to("history", name))


def differences(before: JSON, after: JSON) -> list[Difference]:
    """The elements that differ between two versions of a resource, in words."""
    earlier, later = _flat(before), _flat(after)
    names = list(dict.fromkeys([*earlier, *later]))
    return [
        Difference(LABELS.get(name, "Other details"), _words(name, earlier.get(name)), _words(name, later.get(name)))
        for name in names
        if earlier.get(name) != later.get(name)
    ]


def person(author: str) -> str:
    """An author without the kind that the record keeps before the name."""
    kind, _, name = author.partition(":")
    return name if kind in ("user", "system") else f"{name} ({kind})" if name else author


def _step(version: RecordVersion, before: RecordVersion | None) -> Step:
    found = differences(_content(before), _content(version)) if before and version.content and before.content else []
    return Step(version.version, DONE[version.interaction], person(version.author), version.recorded_at, found)


def _content(version: RecordVersion | None) -> JSON:
    return parse_json(str(version.content).encode()) if version and version.content else {}


def _flat(resource: JSON) -> JSON:
    """The elements of a resource, its extensions by the last word of their url beside them."""
    flat = {name: value for name, value in resource.items() if name not in UNSHOWN | {"extension"}}
    for extension in resource.get("extension", []):
        flat.setdefault(extension.get("url", "").rpartition("/")[2], []).append(extension)
    return flat


def _words(name: str, value: Any) -> str:
    """A value as a person would say it; nothing for one that has no short form."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return "; ".join(filter(None, (_words(name, item) for item in value))) or "other details"
    if isinstance(value, dict):
        return _object_words(name, value)
    return str(value)


def _object_words(name: str, value: JSON) -> str:
    teller = _TELLERS.get(name, _coded)
    return teller(value) or "other details"


def _name(value: JSON) -> str:
    return str(value.get("text") or _joined([*value.get("given", []), value.get("family")]))


def _identifier(value: JSON) -> str:
    """A national id is named by its last four characters alone."""
    number, kind = str(value.get("value", "")), _coded(value.get("type", {}))
    code = next((coding.get("code") for coding in value.get("type", {}).get("coding", [])), "")
    sealed = value.get("system") in SSN_SYSTEMS or code in NATIONAL_TYPES
    return _joined([kind, f"••• {number[-4:]}" if sealed else number])


def _address(value: JSON) -> str:
    parts = [*value.get("line", []), value.get("city"), value.get("state"), value.get("postalCode")]
    return str(value.get("text") or ", ".join(filter(None, parts)))


def _contact(value: JSON) -> str:
    return _joined([_name(value.get("name", {})), *(each.get("value") for each in value.get("telecom", []))])


def _language(value: JSON) -> str:
    return _joined([_coded(value.get("language", {})), "(preferred)" if value.get("preferred") else ""])


def _linked(value: JSON) -> str:
    return _joined([value.get("type"), value.get("other", {}).get("reference")])


def _coded(value: JSON) -> str:
    """A coding, a concept, a reference or an extension by its text."""
    coding = next(iter(value.get("coding", [])), value)
    said = [value.get("text"), coding.get("display"), value.get("valueString"), value.get("valueCode")]
    inner = (_coded(each) for each in [*value.get("extension", []), value.get("valueCoding")] if each)
    return next((str(word) for word in [*said, value.get("reference"), coding.get("code"), *inner] if word), "")


def _joined(words: Iterable[Any]) -> str:
    return " ".join(str(word) for word in words if word)


_TELLERS = {
    "name": _name, "identifier": _identifier, "address": _address, "contact": _contact, "communication": _language,
    "link": _linked, "telecom": lambda value: str(value.get("value", "")),
}  # fmt: skip
