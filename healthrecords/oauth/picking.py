"""The patients among whom a person picks one for an app: found by the API's own search, policy and trail included."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson
from django.core.exceptions import PermissionDenied
from django.db import transaction

from healthrecords.access.request import AccessRequest
from healthrecords.fhir import interactions, listing
from healthrecords.fhir.outcome import FHIRError
from healthrecords.fhir.resource import registry

MOST = 20  # patients shown at once


@dataclass(frozen=True)
class Choice:
    """A patient as a list shows them."""

    logical_id: str
    name: str
    details: str


def find(asked: AccessRequest, name: str, born: str) -> list[Choice]:
    """The patients whom the person may see and whose names begin so; none for an empty search.

    Raises PermissionDenied where no patient is open to the person, BadSearch for a date that is none.
    """
    terms = [("name", word) for word in name.replace(",", " ").split()] + ([("birthdate", born)] if born else [])
    if not terms:
        return []
    try:
        interactions.require(asked.to("search", "Patient"))
    except FHIRError:
        raise PermissionDenied("You may not search for patients.") from None
    answer = listing.search(registry()["Patient"], asked.to("search", "Patient"), [*terms, ("_count", str(MOST))])
    return [_choice(orjson.loads(orjson.dumps(entry["resource"]))) for entry in answer.body.get("entry", ())]


def name_of(asked: AccessRequest, logical_id: str) -> Choice:
    """The patient of that id, with the row that they were shown; PermissionDenied for one the person may not see."""
    try:
        interactions.require(asked.to("read", "Patient"))
        with transaction.atomic():
            content = interactions.stored_content(registry()["Patient"], asked.to("read", "Patient"), logical_id)
    except FHIRError:
        raise PermissionDenied("There is no such patient.") from None
    return _choice(orjson.loads(content))


def _choice(patient: dict[str, Any]) -> Choice:
    return Choice(patient["id"], _name(patient), ", ".join(_details(patient)))


def _name(patient: dict[str, Any]) -> str:
    names: list[dict[str, Any]] = patient.get("name") or [{}]
    name = next((each for each in names if each.get("use") == "official"), names[0])
    parts = [*name.get("given", ()), name.get("family", "")]
    return name.get("text") or " ".join(filter(None, parts)) or "No name"


def _details(patient: dict[str, Any]) -> Iterator[str]:
    yield f"born {patient['birthDate']}" if "birthDate" in patient else "birth date unknown"
    if "gender" in patient:
        yield patient["gender"]
    for each in patient.get("identifier", ()):
        codes = {code.get("code") for code in each.get("type", {}).get("coding", ())}
        if "MR" in codes and each.get("value"):
            yield f"MRN {each['value']}"
