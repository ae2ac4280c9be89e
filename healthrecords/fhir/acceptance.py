"""The one seam that incoming resources pass: what is refused here reaches no table."""

from collections.abc import Iterator, Sequence
from typing import Any

from django.conf import settings
from prometheus_client import Counter

from . import validation
from .mapping import MISSING, Element, Parts, find
from .outcome import FHIRError, Issue
from .resource import Resource

VALIDATIONS = Counter("fhir_validations", "Resources validated, by type and by what came of it.", ["type", "outcome"])

_REFUSED = ("error", "fatal")


def refuse_invalid(resource: Resource, body: Any) -> None:
    """Raise FHIRError with every fault: 400 when it is not a resource of this type at all, else 422."""
    if not isinstance(body, dict):
        raise FHIRError.of(400, "structure", "A resource is a JSON object.", resource.name)
    if body.get("resourceType") != resource.name:
        sent = str(body.get("resourceType"))[:60]
        raise FHIRError.of(400, "structure", f"This address takes a {resource.name}, not '{sent}'.", "resourceType")
    faults = validate(resource, body)
    if faults:
        raise FHIRError(422, faults)


def validate(resource: Resource, body: Any) -> list[Issue]:
    """Return the faults for which a resource is refused, each with its FHIRPath."""
    return [issue for issue in issues_of(resource, body) if issue.severity in _REFUSED]


def issues_of(resource: Resource, body: Any, profiles: Sequence[str] = ()) -> list[Issue]:
    """Return all that is to be said of a resource: faults, and warnings that refuse nothing."""
    if _depth(body) > settings.FHIR_MAX_DEPTH:
        issues = [Issue("structure", f"The JSON is nested more than {settings.FHIR_MAX_DEPTH} deep.", resource.name)]
    else:
        issues = validation.validate(body, resource.name, profiles)
    if not any(issue.severity in _REFUSED for issue in issues):
        issues += _unfit(resource, body)
    good = not any(issue.severity in _REFUSED for issue in issues)
    VALIDATIONS.labels(resource.name, "valid" if good else "invalid").inc()
    return issues


def _depth(tree: Any) -> int:
    """How deep a value nests; it stops counting a little beyond the limit."""
    depth, level = 0, [tree]
    while level and depth <= settings.FHIR_MAX_DEPTH:
        depth += 1
        level = [item for value in level for item in _inside(value) if isinstance(item, dict | list)]
    return depth


def _inside(value: Any) -> Any:
    return value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()


def _unfit(resource: Resource, body: dict[str, Any]) -> Iterator[Issue]:
    """What R4 permits and the columns cannot hold: values too long to be indexed, a year 0001, parts without end."""
    for element in resource.mapping.elements:
        yield from _unfit_values(element, body, resource.name)
    for parts in resource.mapping.parts:
        yield from _unfit_parts(parts, body, f"{resource.name}.{parts.path}")


def _unfit_parts(parts: Parts, body: dict[str, Any], path: str) -> Iterator[Issue]:
    items = body.get(parts.path, [])
    if len(items) > parts.most:
        yield Issue("too-costly", f"has more than {parts.most} items", path)
        return
    for position, item in enumerate(items):
        for element in parts.elements:
            yield from _unfit_values(element, item, f"{path}[{position}]")


def _unfit_values(element: Element, tree: Any, path: str) -> Iterator[Issue]:
    value = find(tree, element.steps)
    if value is MISSING:
        return
    for each in value if element.many else [value]:
        fault = None if each is None else element.type.fault(each)  # null marks a place beside `_name` (R4 §2.6.2)
        if fault:
            yield Issue("value", fault, _path(path, element))


def _path(path: str, element: Element) -> str:
    return path + "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in element.steps)
