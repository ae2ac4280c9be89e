"""References between the entries of a transaction, and references by a condition (R4 §3.1.0.11.2)."""

import re
from typing import Any

from healthrecords.access.request import AccessRequest

from . import interactions
from .entries import Entry
from .outcome import FHIRError
from .resource import registry

_CONDITIONAL = re.compile(r"([A-Z][A-Za-z]+)\?(.+)")
_URN = ("urn:uuid:", "urn:oid:")


class Links:
    """What each fullUrl, and each condition met so far, stands for: `Type/id`."""

    def __init__(self) -> None:
        self.known: dict[str, str] = {}

    def add(self, entry: Entry) -> None:
        """Remember where an entry that has its id by now is."""
        if entry.full_url:
            self.known[entry.full_url] = f"{entry.resource.name}/{entry.logical_id}"

    def resolved(self, tree: Any, asked: AccessRequest, name: str = "") -> Any:
        """Return a copy of `tree` in which what points to another entry points to its record.

        Raises FHIRError 400 for a urn that no entry has, 412 for a condition that does not find exactly one record.
        """
        if isinstance(tree, dict):
            return {each: self.resolved(value, asked, each) for each, value in tree.items()}
        if isinstance(tree, list):
            return [self.resolved(value, asked, name) for value in tree]
        if not isinstance(tree, str):
            return tree
        if tree in self.known and (name == "reference" or tree.startswith(_URN)):
            return self.known[tree]
        return self._reference(tree, asked) if name == "reference" else tree

    def _reference(self, reference: str, asked: AccessRequest) -> str:
        if reference.startswith(_URN):
            raise FHIRError.of(400, "not-found", f"No entry of the Bundle has the fullUrl '{reference[:80]}'.")
        condition = _CONDITIONAL.fullmatch(reference)
        target = registry().get(condition[1]) if condition else None
        if condition is None or target is None:
            return reference
        found = interactions.matching(target, asked.to("search", target.name), condition[2])
        if len(found) != 1:
            number = "more than one" if found else "no"
            text = f"A conditional reference to {target.name} finds {number} record."
            raise FHIRError.of(412, "multiple-matches", text)
        self.known[reference] = f"{target.name}/{found[0].logical_id}"
        return self.known[reference]
