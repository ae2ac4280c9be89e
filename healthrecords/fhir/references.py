"""Literal references (R4 §2.3.0): which type and logical id a text points to, if it points to this server at all."""

import re

from .answer import base_url

_LITERAL = re.compile(r"([A-Z][A-Za-z]{1,63})/([A-Za-z0-9\-.]{1,64})(?:/_history/[A-Za-z0-9\-.]{1,64})?")


def target_of(text: str) -> tuple[str, str] | None:
    """Return type and logical id of `Type/id`, with or without a version or our own base; None for any other form."""
    found = _LITERAL.fullmatch(text.removeprefix(f"{base_url()}/"))
    return (found[1], found[2]) if found else None
