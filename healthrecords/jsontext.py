"""JSON in and out without loss: decimals keep their digits (FHIR R4 §2.24.0.1), a name stands once in an object."""

import json
import re
from decimal import Decimal
from typing import Any

import orjson


class BadJSON(ValueError):
    """Text that is not the JSON that we accept; the message says why."""


class UnfinishedJSON(BadJSON):
    """Text that is no JSON, or not yet: more text may complete it."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise BadJSON(f"The property '{twice[:60]}' stands twice in one object.")
    return made


def _constant(name: str) -> Any:
    raise BadJSON(f"{name} is not a JSON number.")


def _integer(digits: str) -> int | Decimal:
    return int(digits) if len(digits) <= 18 else _decimal(digits)


_HUGE = re.compile(r"[eE][+-]?0*[0-9]{4}")


def _decimal(digits: str) -> Decimal:
    if len(digits) > 60:
        raise BadJSON("A number has more than 60 characters.")
    if _HUGE.search(digits):
        raise BadJSON("A number has an exponent of more than three digits.")
    return Decimal(digits)


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_float=_decimal, parse_int=_integer, parse_constant=_constant
)


# An escape; its group is half of a surrogate pair, which has no form in UTF-8, not even in an answer.
_ESCAPE = re.compile(r"\\(?:u[dD][89abAB]..\\u[dD][c-fC-F]..|(u[dD][89a-fA-F])|.)", re.DOTALL)


def parse_json(text: bytes | str) -> Any:
    """Return the value of `text` (UTF-8); raise BadJSON for malformed, ambiguous or too deeply nested input."""
    try:
        plain = text.decode("utf-8") if isinstance(text, bytes) else text
        if "\\u" in plain and any(escape[1] for escape in _ESCAPE.finditer(plain)):
            raise BadJSON("The text holds half of a surrogate pair, which is no character.")
        return _DECODER.decode(plain.removeprefix("\ufeff"))
    except UnicodeDecodeError:
        raise BadJSON("The text is not UTF-8.") from None
    except json.JSONDecodeError as fault:
        raise BadJSON(f"Not JSON: {fault.msg} at line {fault.lineno}, column {fault.colno}.") from None
    except RecursionError:
        raise BadJSON("The JSON is nested too deeply.") from None


def parse_next(text: str, at: int) -> tuple[Any, int]:
    """Return the value that begins at `at`, and where it ends; raise BadJSON, UnfinishedJSON if it has no end."""
    try:
        return _DECODER.raw_decode(text, at)
    except json.JSONDecodeError as fault:
        raise UnfinishedJSON(f"Not JSON: {fault.msg}.") from None
    except RecursionError:
        raise BadJSON("The JSON is nested too deeply.") from None


def _other(value: Any) -> Any:
    if isinstance(value, Decimal):
        return orjson.Fragment(str(value))
    raise TypeError(f"{type(value).__name__} has no JSON form")


def dump_json(value: Any, pretty: bool = False) -> bytes:
    """Return `value` as UTF-8 JSON, each Decimal with the digits it came with."""
    return orjson.dumps(value, default=_other, option=orjson.OPT_INDENT_2 if pretty else None)
