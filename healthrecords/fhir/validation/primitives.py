"""What a value of each primitive type must look like (R4 §2.24.0); one function a type, None when nothing is wrong."""

import binascii
import calendar
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from healthrecords.fhir.primitives import CODE, DATE, DATETIME, FORBIDDEN, ID

Check = Callable[[Any], str | None]

LONGEST_STRING = 1024 * 1024  # characters: R4 §2.24.0.1, string
_WHITESPACE = re.compile(r"\s")
_TIME = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]:([0-5][0-9]|60)(\.[0-9]+)?")
_OID = re.compile(r"urn:oid:[0-2](\.(0|[1-9][0-9]*))+")
_UUID = re.compile(r"urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:\S+")


def boolean(value: Any) -> str | None:
    """true or false, not text."""
    return None if value is True or value is False else "must be true or false, without quotes"


def decimal(value: Any) -> str | None:
    """A JSON number; NaN and Infinity are none."""
    kind = type(value)
    if kind is int or (kind is Decimal and value.is_finite()) or (kind is float and value - value == 0):
        return None
    return "must be a number, without quotes"


def _whole(least: int, words: str) -> Check:
    def check(value: Any) -> str | None:
        return None if type(value) is int and least <= value < 2**31 else f"must be {words}, without quotes"

    return check


def string(value: Any) -> str | None:
    """Text that is not empty, of at most 1 MB, without control characters."""
    if type(value) is not str:
        return "must be a string"
    if not value:
        return "must not be empty; leave the element out"
    if len(value) > LONGEST_STRING:
        return "is longer than 1 MB"
    return "holds a control character, which FHIR does not permit" if FORBIDDEN.search(value) else None


def xhtml(value: Any) -> str | None:
    """The text of a narrative, whose content is for the narrative's own rules."""
    return None if value == "" else string(value)


def code(value: Any) -> str | None:
    """Words with single spaces between them, none around them."""
    if type(value) is str and value.isalnum():
        return None
    return string(value) or (None if CODE.fullmatch(value) else "must have single spaces inside and none around it")


def identity(value: Any) -> str | None:
    """A logical id."""
    if type(value) is str and ID.fullmatch(value):
        return None
    return "must have 1 to 64 letters, digits, '-' or '.'"


def uri(value: Any) -> str | None:
    """A URI without whitespace; urn:uuid: and urn:oid: in their own form."""
    fault = string(value)
    if fault is None and _WHITESPACE.search(value):
        return "must not hold whitespace"
    if fault is None and value.startswith("urn:"):
        return _urn(value)
    return fault


def _urn(value: str) -> str | None:
    if value.startswith("urn:uuid:") and not _UUID.fullmatch(value.lower()):
        return "must be urn:uuid: and a UUID"
    if value.startswith("urn:oid:") and not _OID.fullmatch(value):
        return "must be urn:oid: and numbers with dots between them"
    return None


def oid(value: Any) -> str | None:
    """An OID as a URI."""
    return (
        None if type(value) is str and _OID.fullmatch(value) else "must be urn:oid: and numbers with dots between them"
    )


def uuid(value: Any) -> str | None:
    """A UUID as a URI."""
    return None if type(value) is str and _UUID.fullmatch(value) else "must be urn:uuid: and a UUID in lower case"


def date(value: Any) -> str | None:
    """YYYY, YYYY-MM or YYYY-MM-DD that the calendar has."""
    if type(value) is str and DATE.fullmatch(value) and _in_calendar(value):
        return None
    return "must be a date such as 2024, 2024-05 or 2024-05-17"


def date_time(value: Any) -> str | None:
    """A date, or one with time, seconds and zone."""
    if type(value) is str and DATETIME.fullmatch(value) and _in_calendar(value):
        return None
    return "must be a date, or a date and time such as 2024-05-17T09:30:00+02:00, with seconds and time zone"


def instant(value: Any) -> str | None:
    """A date and time with seconds and zone."""
    if type(value) is str and DATETIME.fullmatch(value) and "T" in value and _in_calendar(value):
        return None
    return "must be a date and time such as 2024-05-17T09:30:00Z, with seconds and time zone"


def time(value: Any) -> str | None:
    """A time of day with seconds, without zone."""
    return (
        None if type(value) is str and _TIME.fullmatch(value) else "must be a time such as 09:30:00, without time zone"
    )


def _in_calendar(value: str) -> bool:
    """Whether the day exists; the pattern has checked the digits (and permits the year 0000, which FHIR does not)."""
    year = int(value[:4])
    if not year or len(value) < 10:
        return year > 0
    day = int(value[8:10])
    return day <= 28 or day <= calendar.monthrange(year, int(value[5:7]))[1]


def base64(value: Any) -> str | None:
    """Base64 (RFC 4648 §4) with whole groups of four; whitespace between is permitted."""
    if type(value) is not str or not value:
        return "must be base64 text"
    text = value if value.isalnum() else "".join(value.split())
    try:
        binascii.a2b_base64(text, strict_mode=True)
    except ValueError:
        return "must be base64 text"
    return None if text else "must be base64 text"


def is_absolute(value: str) -> bool:
    """Whether a URI names its scheme."""
    return _ABSOLUTE.fullmatch(value) is not None


CHECKS: dict[str, Check] = {
    "boolean": boolean,
    "decimal": decimal,
    "integer": _whole(-(2**31), "a whole number"),
    "positiveInt": _whole(1, "a whole number above 0"),
    "unsignedInt": _whole(0, "a whole number, 0 or above"),
    "string": string,
    "markdown": string,
    "xhtml": xhtml,
    "code": code,
    "id": identity,
    "uri": uri,
    "url": uri,
    "canonical": uri,
    "oid": oid,
    "uuid": uuid,
    "date": date,
    "dateTime": date_time,
    "instant": instant,
    "time": time,
    "base64Binary": base64,
}
LINKS = frozenset({"uri", "url", "canonical"})
