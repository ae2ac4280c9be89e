"""Bundles: which resource an entry brings under which id, and what the references between entries point to."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from healthrecords.fhir.mapping import JSON
from healthrecords.fhir.primitives import ID

TYPES = frozenset({"collection", "transaction", "batch", "searchset"})
_TYPE = re.compile(r"[A-Z][A-Za-z]{1,63}")
_UUID = re.compile(r"urn:uuid:([0-9A-Fa-f-]{36})")
_CONDITIONAL = re.compile(r"[A-Z][A-Za-z]{1,63}\?.+")
# Types that bundles refer to by identifier (Synthea's US Core bundles do).
_DIRECTORY = frozenset({"Organization", "Practitioner", "PractitionerRole", "Location"})


class BadEntry(Exception):
    """An entry that cannot be imported; the message says why, without values from it."""


def resource_of(entry: Any) -> JSON:
    """Return the resource that an entry brings, with its id; raise BadEntry."""
    resource = entry.get("resource") if isinstance(entry, dict) else None
    if not isinstance(resource, dict):
        raise BadEntry("The entry brings no resource.")
    request = entry.get("request")
    if isinstance(request, dict) and request.get("method") not in (None, "POST", "PUT"):
        raise BadEntry("The entry asks for something else than to create or update; an import does nothing else.")
    return with_id(resource, entry.get("fullUrl"))


def with_id(resource: JSON, full_url: Any = None) -> JSON:
    """Return a resource that has a type and an id, taken from `full_url` where it brings none; raise BadEntry."""
    kind = resource.get("resourceType")
    if not isinstance(kind, str) or not _TYPE.fullmatch(kind):
        raise BadEntry("The resource names no type.")
    logical_id = resource.get("id") or _id_from(full_url, kind)
    if logical_id is None:
        raise BadEntry("The resource has no id, so that a second import could not know it again.")
    if not isinstance(logical_id, str) or not ID.fullmatch(logical_id):
        raise BadEntry("The id is not 1 to 64 letters, digits, '-' or '.'.")
    return {**resource, "id": logical_id}


def _id_from(full_url: Any, kind: str) -> str | None:
    if not isinstance(full_url, str):
        return None
    head, _, tail = full_url.rpartition("/")
    found = _UUID.fullmatch(full_url)
    return found[1].lower() if found else tail if head.endswith(kind) else None


@dataclass
class Links:
    """What the entries of one Bundle are called: their fullUrls, and the identifiers of its directory entries."""

    urls: dict[str, str] = field(default_factory=dict)
    conditions: dict[str, str | None] = field(default_factory=dict)

    def note(self, entry: Any) -> None:
        """Remember an entry."""
        try:
            resource = resource_of(entry)
        except BadEntry:
            return
        address = f"{resource['resourceType']}/{resource['id']}"
        if isinstance(entry.get("fullUrl"), str):
            self.urls[entry["fullUrl"]] = address
        if resource["resourceType"] in _DIRECTORY:
            for condition in _conditions(resource):
                known = self.conditions.setdefault(condition, address)
                self.conditions[condition] = address if known == address else None  # two of them: nobody knows which

    def resolve(self, reference: str) -> str | None:
        """Return `Type/id` for a reference to an entry of this Bundle."""
        return self.urls.get(reference) or self.conditions.get(_plain(reference))


def _conditions(resource: JSON) -> Iterator[str]:
    identifiers = resource.get("identifier")
    for each in identifiers if isinstance(identifiers, list) else []:
        if isinstance(each, dict) and each.get("value"):
            yield f"{resource['resourceType']}?identifier={each.get('system', '')}|{each['value']}"


def is_conditional(reference: str) -> bool:
    """Whether a reference is a search that is to find its target (R4 §3.1.0.11.3.2)."""
    return _CONDITIONAL.fullmatch(reference) is not None


def _plain(reference: str) -> str:
    kind, _, query = reference.partition("?")
    return f"{kind}?" + "&".join(f"{name}={value}" for name, value in parse_qsl(query)) if query else reference


def references(tree: Any) -> Iterator[JSON]:
    """Every Reference below `tree` that has a literal reference."""
    if isinstance(tree, list):
        for item in tree:
            yield from references(item)
    elif isinstance(tree, dict):
        if isinstance(tree.get("reference"), str):
            yield tree
        for value in tree.values():
            if isinstance(value, dict | list):
                yield from references(value)
