"""Invariants of data types, and those that every resource has (R4 §2.24, §2.25, §2.28)."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from .registry import JSON, Scope, has, invariant, listed, text_of, within

UCUM = "http://unitsofmeasure.org"
_TIME_UNITS = frozenset({"s", "min", "h", "d", "wk", "mo", "a"})


def number(value: Any) -> Decimal | None:
    """A JSON number as a decimal; None for anything else, NaN and Infinity with it."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    made = Decimal(str(value))
    return made if made.is_finite() else None


def later(first: str, second: str) -> bool:
    """Whether a date or dateTime is surely after another; partial ones are compared as far as both go."""
    if "T" in first and "T" in second:
        try:
            return _moment(first) > _moment(second)
        except (ValueError, TypeError, OverflowError):
            return False  # its format was reported
    length = min(len(first.partition("T")[0]), len(second.partition("T")[0]))
    return first[:length] > second[:length]


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text.replace(":60", ":59", 1) if text[17:19] == "60" else text)


@invariant("dom-2")
def no_nested_contained(resource: JSON, scope: Scope) -> bool:
    return not any(has(each, "contained") for each in listed(resource, "contained"))


@invariant("dom-3")
def contained_is_mentioned(resource: JSON, scope: Scope) -> bool:
    """What nothing in the resource names, and what does not name its container, has no place in it."""
    names = (each.get("id") for each in listed(resource, "contained"))
    return all(name in scope.mentioned for name in names if isinstance(name, str))


@invariant("dom-4")
def contained_has_no_version(resource: JSON, scope: Scope) -> bool:
    return not any(has(within(each, "meta"), "versionId", "lastUpdated") for each in listed(resource, "contained"))


@invariant("dom-5")
def contained_has_no_security_label(resource: JSON, scope: Scope) -> bool:
    return not any(has(within(each, "meta"), "security") for each in listed(resource, "contained"))


@invariant("per-1")
def period_does_not_end_before_it_starts(period: JSON, scope: Scope) -> bool:
    start, end = text_of(period, "start"), text_of(period, "end")
    return not (start and end and later(start, end))


@invariant("rat-1")
def ratio_has_both_or_neither(ratio: JSON, scope: Scope) -> bool:
    whole = has(ratio, "numerator") == has(ratio, "denominator")
    return whole and has(ratio, "numerator", "extension")


@invariant("rng-2")
def range_goes_up(span: JSON, scope: Scope) -> bool:
    low, high = within(span, "low"), within(span, "high")
    if any(low.get(name) != high.get(name) for name in ("system", "code", "unit")):
        return True  # different units: not comparable here
    least, most = number(low.get("value")), number(high.get("value"))
    return least is None or most is None or least <= most


@invariant("sqty-1")
def simple_quantity_has_no_comparator(quantity: JSON, scope: Scope) -> bool:
    return not has(quantity, "comparator")


@invariant("mqty-1")
def money_has_a_currency(quantity: JSON, scope: Scope) -> bool:
    return _is_measured(quantity, "urn:iso:std:iso:4217")


@invariant("age-1")
def age_is_a_time_above_zero(quantity: JSON, scope: Scope) -> bool:
    value = number(quantity.get("value"))
    return _is_measured(quantity) and (value is None or value > 0)


@invariant("dis-1")
def distance_is_a_length(quantity: JSON, scope: Scope) -> bool:
    return _is_measured(quantity)


@invariant("drt-1")
def duration_is_a_time(quantity: JSON, scope: Scope) -> bool:
    return not has(quantity, "code") or (quantity.get("system") == UCUM and has(quantity, "value"))


@invariant("cnt-3")
def count_is_a_whole_number(quantity: JSON, scope: Scope) -> bool:
    value = number(quantity.get("value"))
    whole = value is None or "." not in str(value)
    return _is_measured(quantity) and quantity.get("code", "1") == "1" and whole


def _is_measured(quantity: JSON, system: str = UCUM) -> bool:
    return (has(quantity, "code") or not has(quantity, "value")) and quantity.get("system", system) == system


@invariant("tim-4")
def duration_is_not_negative(repeat: JSON, scope: Scope) -> bool:
    return (number(repeat.get("duration")) or 0) >= 0


@invariant("tim-5")
def period_is_not_negative(repeat: JSON, scope: Scope) -> bool:
    return (number(repeat.get("period")) or 0) >= 0


@invariant("tim-9")
def offset_has_a_meal_or_event(repeat: JSON, scope: Scope) -> bool:
    when = repeat.get("when")
    events = when if isinstance(when, list) else []
    meals = {"C", "CM", "CD", "CV"}
    return not has(repeat, "offset") or (
        bool(events) and not any(each in meals for each in events if isinstance(each, str))
    )


@invariant("trd-3")
def trigger_has_what_its_type_needs(trigger: JSON, scope: Scope) -> bool:
    kind = text_of(trigger, "type")
    if kind == "named-event":
        return has(trigger, "name")
    if kind == "periodic":
        return has(trigger, "timing[x]")
    return not kind.startswith("data-") or has(trigger, "data")
