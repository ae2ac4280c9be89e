"""The decision in plain Python, written from its rule alone. It shares no code with what it judges.

It reads consents as FHIR JSON and is slow on purpose: one rule after the other, as the rule is worded.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

JSON = dict[str, Any]
PERMITTED_BY_DEFAULT = {"TREAT", "HPAYMT", "HOPERAT"}


@dataclass(frozen=True)
class Request:
    """Who asks (references and role codes), what for, when, and about which type and labels of a record."""

    references: frozenset[str]
    roles: frozenset[str]
    purpose: str
    at: datetime
    type: str
    labels: frozenset[str]


def is_permitted(patients: list[list[JSON]], request: Request, zone: str = "UTC") -> bool:
    """Whether a record of all these patients is shown; each patient is the list of their root provisions."""
    return all(_of_patient(roots, request, zone) for roots in patients)


def _of_patient(roots: list[JSON], request: Request, zone: str) -> bool:
    said = [_outcome(root, request, zone, False) for root in roots if _matches(root, request, zone)]
    if "deny" in said:
        return False
    return "permit" in said or request.purpose in PERMITTED_BY_DEFAULT


def _outcome(provision: JSON, request: Request, zone: str, lists_class: bool) -> str | None:
    """What a matching provision says. About the Patient record it says nothing unless a provision lists that class."""
    lists_class = lists_class or "class" in provision
    matching = [each for each in provision.get("provision", []) if _matches(each, request, zone)]
    if matching:
        said = {_outcome(each, request, zone, lists_class) for each in matching}
        return next((word for word in ("deny", "permit") if word in said), None)
    if request.type == "Patient" and not lists_class:
        return None
    return str(provision["type"])


def _matches(provision: JSON, request: Request, zone: str) -> bool:
    if "actor" in provision and not any(_is_actor(each, request) for each in provision["actor"]):
        return False
    if "purpose" in provision and request.purpose not in [each["code"] for each in provision["purpose"]]:
        return False
    if "class" in provision and request.type not in [each["code"] for each in provision["class"]]:
        return False
    if "securityLabel" in provision:
        listed = {f"{each['system']}|{each['code']}" for each in provision["securityLabel"]}
        if not listed & request.labels:
            return False
    return _is_within(provision.get("period", {}), request.at, zone)


def _is_actor(actor: JSON, request: Request) -> bool:
    literal = actor["reference"].get("reference")
    if literal is not None:
        return literal in request.references
    return actor["role"]["coding"][0]["code"] in request.roles


def _is_within(period: JSON, at: datetime, zone: str) -> bool:
    """Both ends are inclusive; a date is that whole day in the zone, an instant the smallest unit that is written."""
    if "start" in period and at < _first(period["start"], zone):
        return False
    return not ("end" in period and at >= _after(period["end"], zone))


def _first(text: str, zone: str) -> datetime:
    if len(text) == 10:
        return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))
    return datetime.fromisoformat(text)


def _after(text: str, zone: str) -> datetime:
    if len(text) == 10:
        following = datetime.fromisoformat(text) + timedelta(days=1)
        return following.replace(tzinfo=ZoneInfo(zone))
    return datetime.fromisoformat(text) + timedelta(seconds=1)
