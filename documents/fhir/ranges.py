"""Byte ranges and conditions of a GET (RFC 9110 §13, §14), decided from the headers alone."""

import re

_ONE = re.compile(r"bytes=\s*(\d*)-(\d*)\s*", re.ASCII)

_BEYOND = 10**18  # bytes; no content is that long


class Unsatisfiable(Exception):
    """No byte of the content lies in the range (416)."""


def wanted(header: str, size: int) -> tuple[int, int] | None:
    """The bytes [start, end) that a Range header asks for; None for the whole, also where it is not understood.

    Several ranges at once are answered with the whole, as §14.2 permits. Raises Unsatisfiable.
    """
    found = _ONE.fullmatch(header.strip())
    if found is None or not (found[1] or found[2]):
        return None
    if not found[1]:
        start, end = max(0, size - _number(found[2])), size
    else:
        start, end = _number(found[1]), min(size, _number(found[2] or str(size)) + 1)
        if found[2] and _number(found[2]) < start:
            return None
    if start >= size:
        raise Unsatisfiable
    return start, end


def _number(digits: str) -> int:
    significant = digits.lstrip("0") or "0"
    return int(significant) if len(significant) <= 18 else _BEYOND  # Python refuses to read thousands of digits


def names(header: str, tag: str) -> bool:
    """Whether an If-None-Match (or If-Match) header names the entity tag, compared weakly."""
    tags = [each.strip().removeprefix("W/") for each in header.split(",")]
    return "*" in tags or tag.removeprefix("W/") in tags
