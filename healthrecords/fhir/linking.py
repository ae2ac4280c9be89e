"""References between the entries of a transaction, and references by a condition (R4 §3.1.0.11.2)."""

import re
from typing import Any

from . import interactions
from .entries import Entry
from .outcome import FHIRError
from .resource import registry

_CONDITIONAL = re.compile(r"([A-Z][A-Za-z]+)\?(.+)")
_AT_SERVER = re.compile(r"(https?://.*/)[A-Z][A-Za-z]+/[A-Za-z0-9\-.]{1,64}")
_URN = ("urn:uuid:", "urn:oid:")


class Links:
    """What each fullUrl, and each condition met so far, stands for: `Type/id`."""

    def __init__(self) -> None:
        self.known: dict[str, str] = {}

    def add(self, entry: Entry) -> None:
        """Remember where an entry that has its id by now is."""
        if entry.full_url:
            self.known[entry.full_url] = f"{entry.resource.name}/{entry.logical_id}"

    def resolved(self, tree: Any, entry: Entry, name: str = "") -> Any:
        """Return a copy of `tree`, part of `entry`, in which what points to another entry points to its record.

        A relative reference is one to the server that the entry's fullUrl names (R4 Bundle, resolving references).
        Raises FHIRError 400 for a urn that no entry has, 412 for a condition that does not find exactly one record.
        """
        if isinstance(tree, dict):
            return {each: self.resolved(value, entry, each) for each, value in tree.items()}
        if isinstance(tree, list):
            return [self.resolved(value, entry, name) for value in tree]
        if not isinstance(tree, str):
            return tree
        if tree in self.known and (name == "reference" or tree.startswith(_URN)):
            return self.known[tree]
        return self._reference(tree, entry) if name == "reference" else tree

    def _reference(self, reference: str, entry: Entry) -> str:
        within = self.known.get(f"{_root(entry)}{reference}")
        if within:
            return within
        if reference.startswith(_URN):
            raise FHIRError.of(400, "not-found", f"No entry of the Bundle has the fullUrl '{reference[:80]}'.")
        condition = _CONDITIONAL.fullmatch(reference)
        target = registry().get(condition[1]) if condition else None
        if condition is None or target is None:
            return reference
        found = interactions.matching(target, entry.asked.to("search", target.name), condition[2])
        if len(found) != 1:
            number = "more than one" if found else "no"
            text = f"A conditional reference to {target.name} finds {number} record."
            raise FHIRError.of(412, "multiple-matches", text)
        self.known[reference] = f"{target.name}/{found[0].logical_id}"
        return self.known[reference]


def _root(entry: Entry) -> str:
    """The address that a relative reference of this entry begins at; empty where its fullUrl names no server."""
    found = _AT_SERVER.fullmatch(entry.full_url)
    return found[1] if found else ""
