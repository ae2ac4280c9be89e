"""FHIR R4 validation (4.0.1), compiled from HL7's definitions: every fault of a resource, each with its path."""

from collections.abc import Sequence
from typing import Any

from healthrecords.fhir.outcome import Issue

from .walker import Walk

__all__ = ["validate"]


def validate(body: Any, resource_type: str | None = None, profiles: Sequence[str] = ()) -> list[Issue]:
    """Return every fault of a parsed resource, none twice, in the order of the document; never raise.

    Errors make it invalid; warnings (an unknown extension, code or profile) and informational issues do not.
    `resource_type` is the type that the place calls for. `profiles` are canonical URLs that the resource must meet
    beside those that its `meta.profile` names.
    """
    walk = Walk()
    try:
        walk.resource(body, "", asked=profiles)
    except RecursionError:
        return [Issue("structure", "The JSON is nested too deeply.")]
    if resource_type and isinstance(body, dict) and body.get("resourceType") not in (None, resource_type):
        walk.add("structure", f"This place takes a {resource_type}.", str(body["resourceType"])[:60])
    return list(dict.fromkeys(walk.issues))
