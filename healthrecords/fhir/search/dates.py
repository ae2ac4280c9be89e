"""Dates in search (R4 §3.1.1.4.7): a value covers a span of time, and its prefix says how spans are compared."""

import re
from datetime import datetime, timedelta

from django.db.models import Q

from healthrecords.fhir.primitives import span

PREFIXES = ("eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap")
_MINUTE = re.compile(r"(.*T\d\d:\d\d)(Z|[+-]\d\d:\d\d)?")
_SECOND = re.compile(r"(.*T\d\d:\d\d:\d\d)(\.\d+)?(Z|[ +-]\d\d:\d\d)?")


class DateFault(ValueError):
    """A value that is no date; the message says what one looks like."""


def search_span(value: str) -> tuple[str, datetime, datetime]:
    """Return prefix, from and until of a date value; raise DateFault.

    Minutes may lack their seconds, and a time may lack its zone (then UTC), as the specification allows in search.
    """
    prefix, text = (value[:2], value[2:]) if value[:2] in PREFIXES else ("eq", value)
    try:
        minute = _MINUTE.fullmatch(text)
        if minute:
            low = span(f"{minute[1]}:00{minute[2] or 'Z'}")[0]
            return prefix, low, low + timedelta(minutes=1)
        second = _SECOND.fullmatch(text)
        if second:
            zone = (second[3] or "Z").replace(" ", "+")
            text = f"{second[1]}{second[2] or ''}{zone}"
        low, high = span(text)
    except (ValueError, OverflowError):
        raise DateFault(
            f"'{value[:40]}' is not a date such as 2024-05-17, ge2024-05 or lt2024-05-17T10:00:00Z."
        ) from None
    return prefix, low, high


def range_condition(prefix: str, low: datetime, high: datetime, from_column: str, until_column: str) -> Q:
    """The condition on a stored span [from_column, until_column) against the searched span [low, high)."""
    inside = Q(**{f"{from_column}__gte": low, f"{until_column}__lte": high})
    above = Q(**{f"{until_column}__gt": high})
    below = Q(**{f"{from_column}__lt": low})
    if prefix == "ap":
        earliest, latest = _around(low, high)
        return Q(**{f"{from_column}__lt": latest, f"{until_column}__gt": earliest})
    return {
        "eq": inside,
        "ne": Q(**{f"{from_column}__isnull": False}) & ~inside,
        "gt": above,
        "lt": below,
        "ge": above | inside,
        "le": below | inside,
        "sa": Q(**{f"{from_column}__gte": high}),
        "eb": Q(**{f"{until_column}__lte": low}),
    }[prefix]


def _around(low: datetime, high: datetime) -> tuple[datetime, datetime]:
    """The span widened by a tenth of the time between it and now, the margin that R4 suggests for `ap`."""
    margin = abs(datetime.now(low.tzinfo) - low) / 10
    first, last = datetime.min.replace(tzinfo=low.tzinfo), datetime.max.replace(tzinfo=low.tzinfo)
    return max(low, first + margin) - margin, min(high, last - margin) + margin
