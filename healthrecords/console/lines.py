"""What a record's page says, line by line, for the data types that records share."""

from dataclasses import dataclass
from typing import Any

from healthrecords.console import labels


@dataclass(frozen=True)
class Line:
    """One line of a section: what it is, what it says, what else is known of it, and where it leads."""

    label: str
    text: str
    note: str = ""
    address: str = ""


@dataclass(frozen=True)
class Flag:
    """Something to know before anything else; `kind` (caution, grave, calm) picks its color."""

    text: str
    kind: str = "caution"


Section = tuple[str, list[Line]]
SCHEMES = {"phone": "tel:", "sms": "sms:", "email": "mailto:"}


def filled(sections: list[Section]) -> list[Section]:
    """The sections that have something to say, without lines that say nothing."""
    kept = [(title, [line for line in lines if line.text]) for title, lines in sections]
    return [(title, lines) for title, lines in kept if lines]


def identifier(each: Any) -> Line:
    kind = labels.IDENTIFIER.get(each.type_code, each.type_code or "Identifier")
    issuer = "" if each.type_code else each.system
    return Line(kind, each.masked, notes(labels.USE.get(each.use), issuer, period(each)))


def telecom(each: Any) -> Line:
    kind = labels.TELECOM.get(each.system, "Contact")
    scheme = SCHEMES.get(each.system, "")
    return Line(kind, each.value, notes(labels.USE.get(each.use), period(each)), scheme + each.value if scheme else "")


def address(each: Any) -> Line:
    kind = labels.USE.get(each.use, "Address")
    return Line(kind, str(each), notes(labels.ADDRESS_TYPE.get(each.type), period(each)))


def name(each: Any) -> Line:
    return Line(labels.NAME_USE.get(each.use, "Name"), full_name(each), period(each))


def full_name(each: Any) -> str:
    """A name with title and suffix."""
    return each.text or " ".join(filter(None, [*each.prefix, *each.given, each.family, *each.suffix]))


def notes(*texts: str | None) -> str:
    return " · ".join(text for text in texts if text)


def period(each: Any) -> str:
    """The time that a part was true for, in words."""
    start, end = each.period_start[:10], each.period_end[:10]
    if start and end:
        return f"{start} to {end}"
    return f"since {start}" if start else f"until {end}" if end else ""


def has_more(record: Any) -> bool:
    """Whether a record holds content without a place on its page."""
    return bool(set(record.extra or {}) - {"text", "meta", "language"})
