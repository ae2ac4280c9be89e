"""FHIR's primitive types (R4 §2.24.0): what a value must look like, and the span of time that a partial date covers."""

import calendar
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings

_YEAR, _MONTH, _DAY = r"([0-9]{4})", r"-(0[1-9]|1[0-2])", r"-(0[1-9]|[12][0-9]|3[01])"
_TIME = r"T([01][0-9]|2[0-3]):([0-5][0-9]):([0-5][0-9]|60)(\.[0-9]+)?(Z|[+-](?:(?:0[0-9]|1[0-3]):[0-5][0-9]|14:00))"
DATE = re.compile(rf"{_YEAR}(?:{_MONTH}(?:{_DAY})?)?")
DATETIME = re.compile(rf"{_YEAR}(?:{_MONTH}(?:{_DAY}(?:{_TIME})?)?)?")
ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")
CODE = re.compile(r"\S+(?: \S+)*")
URI = re.compile(r"\S+")
FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]")


_KINDS: dict[str, tuple[tuple[type, ...], str]] = {
    "boolean": ((bool,), "must be true or false"),
    "decimal": ((int, Decimal), "must be a number"),
    "object": ((dict,), "must be an object"),
}


@dataclass(frozen=True)
class Primitive:
    """A type of value: its name and how to tell a fault. `longest` bounds what a column indexes."""

    name: str
    longest: int = 4000

    def fault(self, value: Any) -> str | None:
        """Say what is wrong with `value`, or None."""
        if self.name in _KINDS:
            kinds, sentence = _KINDS[self.name]
            return None if type(value) in kinds else sentence
        if self.name in ("integer", "positiveInt"):
            return self._integer_fault(value)
        if not isinstance(value, str):
            return f"must be a string ({self.name})"
        if len(value) > self.longest:
            return f"is longer than {self.longest} characters"
        return self._text_fault(value)

    def _integer_fault(self, value: Any) -> str | None:
        least = 1 if self.name == "positiveInt" else -(2**31)
        good = isinstance(value, int) and not isinstance(value, bool) and least <= value < 2**31
        return None if good else f"must be a whole number ({self.name})"

    def _text_fault(self, value: str) -> str | None:
        if self.name in ("date", "dateTime", "instant"):
            pattern = DATE if self.name == "date" else DATETIME
            return None if pattern.fullmatch(value) and _exists(value) else f"is not a valid FHIR {self.name}"
        pattern = {"code": CODE, "uri": URI, "id": ID}.get(self.name, re.compile(r"(?s)[ \r\n\t\S]+"))
        return None if pattern.fullmatch(value) else f"is not a valid FHIR {self.name}"


BOOLEAN, DECIMAL = Primitive("boolean"), Primitive("decimal")
INTEGER, POSITIVE_INT = Primitive("integer"), Primitive("positiveInt")
STRING, MARKDOWN = Primitive("string"), Primitive("markdown", 1_000_000)
KEYED, CODE_TYPE, URI_TYPE = Primitive("string", 500), Primitive("code", 200), Primitive("uri", 500)
OBJECT = Primitive("object")  # a complex type that a coder reads as a whole
DATE_TYPE, DATETIME_TYPE = Primitive("date", 10), Primitive("dateTime", 40)


def _exists(text: str) -> bool:
    try:
        span(text)
    except ValueError:
        return False
    return True


def span(text: str) -> tuple[datetime, datetime]:
    """Return the instants [from, until) that a date or dateTime covers, UTC; raise ValueError if there are none.

    A date without a time zone is that day in the installation's own (HEALTHCARE_TIME_ZONE).
    """
    found = DATETIME.fullmatch(text)
    if not found:
        raise ValueError(f"{text!r} is not a FHIR date")
    if found[4]:
        return _instant_span(text, found)
    low, high = day_span(text)
    zone = ZoneInfo(settings.TIME_ZONE)
    try:
        return datetime(low.year, low.month, low.day, tzinfo=zone).astimezone(UTC), _midnight_after(high, zone)
    except OverflowError:
        raise ValueError(f"{text!r} is outside of the years that a clock can hold") from None


def day_span(text: str) -> tuple[date, date]:
    """Return the first and the last day that a partial date covers, both inclusive."""
    found = DATE.fullmatch(text[:10])
    if not found:
        raise ValueError(f"{text!r} is not a FHIR date")
    year, month, day = int(found[1]), int(found[2] or 0), int(found[3] or 0)
    if not month:
        return date(year, 1, 1), date(year, 12, 31)
    last = calendar.monthrange(year, month)[1]
    return (date(year, month, day), date(year, month, day)) if day else (date(year, month, 1), date(year, month, last))


def _midnight_after(day: date, zone: ZoneInfo) -> datetime:
    if day == date.max:
        return datetime.max.replace(tzinfo=UTC)
    after = day + timedelta(days=1)
    return datetime(after.year, after.month, after.day, tzinfo=zone).astimezone(UTC)


def _instant_span(text: str, found: re.Match[str]) -> tuple[datetime, datetime]:
    seconds, fraction = text, found[7] or ""
    leap = found[6] == "60"
    plain = seconds.replace(fraction, "", 1) if fraction else seconds
    if leap:  # Python's clock has no leap second: it is the last one of that minute
        plain = plain[:17] + "59" + plain[19:]
    micro = int((fraction[1:7] or "0").ljust(6, "0"))
    try:
        low = datetime.fromisoformat(plain).replace(microsecond=micro).astimezone(UTC)
        return low, low + timedelta(microseconds=10 ** (6 - min(len(fraction[1:]), 6)) if fraction else 1_000_000)
    except OverflowError:
        raise ValueError(f"{text!r} is outside of the years that a clock can hold") from None
