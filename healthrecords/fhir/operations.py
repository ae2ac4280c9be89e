"""Operations: `$validate` on a type and on a stored record (R4 Resource-operation-validate)."""

from typing import Any

from django.db import transaction

from healthrecords.access.request import AccessRequest
from healthrecords.jsontext import parse_json

from . import interactions
from .acceptance import issues_of
from .answer import Answer
from .mapping import from_fhir
from .outcome import FHIRError, Issue, outcome
from .resource import Resource

MODES = frozenset({"create", "update", "delete", "profile"})


def validate_sent(resource: Resource, body: Any, profiles: list[str]) -> Answer:
    """Answer with every fault of what was sent, bare or as Parameters; 200 also when there are some."""
    body, wanted = _unwrapped(body)
    return Answer(200, outcome(_issues(resource, body, [*profiles, *wanted])))


def validate_stored(
    resource: Resource, asked: AccessRequest, logical_id: str, body: Any, profiles: list[str]
) -> Answer:
    """The same for a stored record, or for what was sent to replace it."""
    sent, wanted = _unwrapped(body) if body else (None, [])
    with transaction.atomic():
        stored = interactions.stored_content(resource, asked, logical_id)
    issues = _issues(resource, sent if sent is not None else parse_json(stored), [*profiles, *wanted])
    return Answer(200, outcome(issues))


def _issues(resource: Resource, body: Any, profiles: list[str]) -> list[Issue]:
    """Faults and warnings; where nothing would be refused, also what is worth knowing."""
    issues = issues_of(resource, body, profiles)
    if any(issue.severity in ("error", "fatal") for issue in issues):
        return issues
    return [*issues, *resource.remark(from_fhir(resource.mapping, body).record)]


def _unwrapped(body: Any) -> tuple[Any, list[str]]:
    """Return the resource and the profiles of a Parameters resource; anything else is the resource itself."""
    if not isinstance(body, dict) or body.get("resourceType") != "Parameters":
        return body, []
    parameters = body.get("parameter")
    named = [each for each in parameters if isinstance(each, dict)] if isinstance(parameters, list) else []
    found = [each.get("resource") for each in named if each.get("name") == "resource"]
    profiles = [
        str(each.get("valueUri") or each.get("valueCanonical")) for each in named if each.get("name") == "profile"
    ]
    modes = [each.get("valueCode") for each in named if each.get("name") == "mode"]
    if any(mode not in MODES for mode in modes):
        raise FHIRError.of(400, "value", "The mode of a validation is create, update, delete or profile.", "Parameters")
    return (found[0] if found else None), profiles
