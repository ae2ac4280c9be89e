"""Literal references (R4 §2.3): their form, what they may point to, and contained resources that they name."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from . import table
from .primitives import is_absolute
from .rules import Scope

JSON = dict[str, Any]

_REST = re.compile(r"(?:^|/)([A-Za-z]+)/[A-Za-z0-9\-.]{1,64}(?:/_history/[A-Za-z0-9\-.]{1,64})?(?:#\S*)?\Z")
_CONDITIONAL = re.compile(r"([A-Z][A-Za-z]+)\?\S+")  # a search that a transaction resolves (R4 §3.1.0.11.2)


@dataclass(frozen=True)
class Fault:
    """What is wrong with a reference: the IssueType code and a sentence."""

    code: str
    text: str


def faults(reference: JSON, targets: frozenset[str], scope: Scope) -> Iterator[Fault]:
    """What is wrong with a Reference that may point to `targets` (any type when that is empty)."""
    literal, stated = reference.get("reference"), reference.get("type")
    found = ""
    if isinstance(literal, str) and literal:
        fault = _form_fault(literal, scope)
        if fault:
            yield fault
            return
        found = target_type(literal, scope)
    stated = stated.rpartition("/")[2] if isinstance(stated, str) else ""
    if found and stated and found != stated:
        yield Fault("structure", f"The reference says that it is of type {stated[:60]}, but it points to a {found}.")
    kind = found or (stated if stated in table.resource_types() else "")
    if kind and targets and kind not in targets:
        yield Fault("structure", f"This reference may point to {_either(targets)}, not to a {kind}.")


def _form_fault(literal: str, scope: Scope) -> Fault | None:
    if literal.startswith("#"):
        if literal == "#" or literal[1:] in scope.contained:
            return None
        return Fault("invariant", f"ref-1: There is no contained resource with the id '{literal[1:65]}'.")
    if is_absolute(literal) or _CONDITIONAL.fullmatch(literal):
        return None
    match = _REST.match(literal)
    if not match or literal.startswith("/"):
        return Fault("value", f"'{literal[:60]}' is no reference: write Type/id, an absolute URL, urn:uuid:… or #id.")
    if match[1] not in table.resource_types():
        return Fault("value", f"'{match[1][:60]}' is not a resource type of R4.")
    return None


def target_type(literal: str, scope: Scope) -> str:
    """The resource type that a literal reference points to; empty when that cannot be told from here."""
    if literal.startswith("#"):
        return scope.contained.get(literal[1:], "")
    if literal in scope.bundle:
        return scope.bundle[literal]
    match = _CONDITIONAL.fullmatch(literal) or _REST.search(literal)
    return match[1] if match and match[1] in table.resource_types() else ""


def _either(targets: frozenset[str]) -> str:
    names = sorted(targets)
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"
