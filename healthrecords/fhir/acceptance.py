"""The one seam that incoming resources pass: what is refused here reaches no table."""

from collections.abc import Iterator
from typing import Any

from django.conf import settings

from .mapping import Element, Parts
from .outcome import FHIRError, Issue
from .primitives import FORBIDDEN
from .resource import Resource

_MOST_PARTS = 1000  # items of one element: each is a row
_FORBIDDEN_TEXT = "holds a control character that FHIR does not permit"


def refuse_invalid(resource: Resource, body: Any) -> None:
    """Raise FHIRError with every fault: 400 when it is not a resource of this type at all, else 422."""
    if not isinstance(body, dict):
        raise FHIRError.of(400, "structure", "A resource is a JSON object.", resource.name)
    if body.get("resourceType") != resource.name:
        sent = str(body.get("resourceType"))[:60]
        raise FHIRError.of(400, "structure", f"This address takes a {resource.name}, not '{sent}'.", "resourceType")
    faults = list(validate(resource, body))
    if faults:
        raise FHIRError(422, faults)


def validate(resource: Resource, body: dict[str, Any]) -> Iterator[Issue]:
    """The faults of a resource, each with its FHIRPath."""
    broken = list(_unsound(body, resource.name, 1))
    yield from broken
    if broken:
        return
    for name in sorted(body.keys() - resource.elements):
        yield Issue("structure", f"{resource.name} has no element '{name[:60]}'.", f"{resource.name}.{name[:60]}")
    yield from _frame_faults(body, resource.name)
    for element in resource.mapping.elements:
        yield from _element_faults(element, body, resource.name)
    for parts in resource.mapping.parts:
        yield from _part_faults(parts, body, resource.name)


def _frame_faults(body: dict[str, Any], name: str) -> Iterator[Issue]:
    """Faults of what every resource may carry and the mapping reads: meta, extensions."""
    if not isinstance(body.get("meta", {}), dict):
        yield Issue("structure", "must be an object", f"{name}.meta")
    extensions = body.get("extension", [])
    if not isinstance(extensions, list) or not all(isinstance(each, dict) for each in extensions):
        yield Issue("structure", "must be a list of objects", f"{name}.extension")


def _unsound(value: Any, path: str, depth: int) -> Iterator[Issue]:
    """Faults of JSON as such: nothing may be null or empty, nest without end, or hold control characters."""
    if depth > settings.FHIR_MAX_DEPTH:
        yield Issue("structure", f"is nested more than {settings.FHIR_MAX_DEPTH} deep", path[:200])
    elif isinstance(value, dict | list):
        if not value:
            yield Issue("structure", "must not be empty", path)
        named = value.items() if isinstance(value, dict) else enumerate(value)
        for name, item in named:
            within = f"{path}.{str(name)[:60]}" if isinstance(value, dict) else f"{path}[{name}]"
            if item is None and isinstance(value, list):
                continue  # beside `_name`, null marks a place (R4 §2.6.2)
            yield from _unsound(item, within, depth + 1)
    elif value is None or value == "":
        yield Issue("structure", "must not be null or empty", path)
    elif isinstance(value, str) and FORBIDDEN.search(value):
        yield Issue("value", _FORBIDDEN_TEXT, path)


def _part_faults(parts: Parts, body: dict[str, Any], path: str) -> Iterator[Issue]:
    items, path = body.get(parts.path, []), f"{path}.{parts.path}"
    if parts.single:
        items = [items] if items else []
    if not isinstance(items, list):
        yield Issue("structure", "must be a list", path)
        return
    if len(items) > _MOST_PARTS:
        yield Issue("too-costly", f"has more than {_MOST_PARTS} items", path)
        return
    for position, item in enumerate(items):
        if not isinstance(item, dict):
            yield Issue("structure", "must be an object", f"{path}[{position}]")
            continue
        for element in parts.elements:
            yield from _element_faults(element, item, f"{path}[{position}]")


def _element_faults(element: Element, tree: Any, path: str) -> Iterator[Issue]:
    for step in element.steps:
        kind = list if isinstance(step, int) else dict
        if not isinstance(tree, kind):
            yield Issue("structure", f"must be {'a list' if kind is list else 'an object'}", path)
            return
        if step not in tree if isinstance(tree, dict) else not step < len(tree):  # type: ignore[operator]
            return
        path = f"{path}[{step}]" if isinstance(step, int) else f"{path}.{step}"
        tree = tree[step]  # type: ignore[index]
    yield from _value_faults(element, tree, path)


def _value_faults(element: Element, value: Any, path: str) -> Iterator[Issue]:
    if element.many and not isinstance(value, list):
        yield Issue("structure", "must be a list", path)
        return
    listed = enumerate(value) if element.many else [(None, value)]
    for position, item in listed:
        at = path if position is None else f"{path}[{position}]"
        fault = None if item is None and element.many else element.type.fault(item)
        if fault:
            yield Issue("value", fault, at)
        elif element.codes is not None and item not in element.codes:
            yield Issue("code-invalid", f"'{item[:60]}' is not one of {', '.join(sorted(element.codes))}", at)
