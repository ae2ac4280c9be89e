"""Bundles that are sent to the base of the API: each entry for itself (batch), or all or nothing (transaction)."""

import logging
import re
from http import HTTPStatus
from typing import Any

from django.conf import settings

from healthrecords.access.request import AccessRequest

from . import interactions, transact
from .answer import Answer
from .conditions import PREFERENCES
from .entries import Entry, read_entry
from .outcome import FHIRError, as_error, outcome, record_refusal
from .shaping import fragment
from .store import instant

log = logging.getLogger(__name__)


def process(body: Any, asked: AccessRequest, prefer: str) -> dict[str, Any]:
    """Carry out a Bundle and return the one that answers it; raise FHIRError when a transaction as a whole fails.

    What was written is shown in the answer only when `Prefer: return=representation` asks for it.
    """
    entries = _entries(body)
    _refuse_many_looks(entries)
    wanted = re.search(r"return=(\w+)", prefer)
    shown = wanted[1] if wanted and wanted[1] in PREFERENCES else "minimal"
    if body["type"] == "batch":
        answers = [_alone(at, raw, asked, shown) for at, raw in enumerate(entries)]
    else:
        answers = transact.all_or_nothing([read_entry(at, raw, asked, shown) for at, raw in enumerate(entries)])
    listed = {"entry": [_told(each) for each in answers]} if answers else {}  # R4 JSON has no empty lists
    return {"resourceType": "Bundle", "type": f"{body['type']}-response", **listed}


def _entries(body: Any) -> list[Any]:
    """The entries of a Bundle that this address takes."""
    if not isinstance(body, dict) or body.get("resourceType") != "Bundle":
        raise FHIRError.of(400, "structure", "This address takes a Bundle.", "Bundle")
    if body.get("type") not in ("batch", "transaction"):
        raise FHIRError.of(400, "value", "A Bundle sent here is a batch or a transaction.", "Bundle.type")
    entries = body.get("entry", [])
    if not isinstance(entries, list) or len(entries) > settings.FHIR_MAX_ENTRIES:
        text = f"A Bundle has a list of at most {settings.FHIR_MAX_ENTRIES} entries."
        raise FHIRError.of(400 if not isinstance(entries, list) else 413, "too-long", text, "Bundle.entry")
    return entries


def _refuse_many_looks(entries: list[Any]) -> None:
    """A search answers with up to a page of records: a Bundle of many would take the memory."""
    looks = [raw for raw in entries if isinstance(raw, dict) and isinstance(raw.get("request"), dict)]
    lists = [each for each in looks if each["request"].get("method") == "GET" and _lists(each["request"].get("url"))]
    if len(lists) > settings.FHIR_MAX_LISTS:
        text = f"A Bundle has at most {settings.FHIR_MAX_LISTS} searches and histories; send the others apart."
        raise FHIRError.of(413, "too-costly", text, "Bundle.entry")


def _lists(url: Any) -> bool:
    return isinstance(url, str) and ("?" in url or "/" not in url.strip("/") or "_history" in url)


def _alone(at: int, raw: Any, asked: AccessRequest, shown: str) -> Answer:
    """Carry out one entry of a batch; what goes wrong in it is its own answer, with its own row in the trail."""
    entry: Entry | None = None
    try:
        entry = read_entry(at, raw, asked, shown)
        interactions.require(entry.asked)
        return perform(entry)
    except Exception as fault:
        error = as_error(fault)
        if error.status >= 500:
            log.error("entry %s of request %s failed", at, asked.request_id, exc_info=fault)
        record_refusal(entry.asked if entry else asked, error, entry.logical_id if entry else None)
        return Answer(error.status, outcome(error.issues), error.headers)


def perform(entry: Entry) -> Answer:
    """Carry out one entry as if it had come alone."""
    resource, asked, logical_id = entry.resource, entry.asked, entry.logical_id or ""
    match entry.interaction:
        case "create":
            return interactions.create(resource, asked, entry.body, entry.conditions)
        case "update":
            return interactions.update(resource, asked, logical_id, entry.body, entry.conditions)
        case "delete":
            return interactions.delete(resource, asked, logical_id, entry.conditions)
        case _:
            return transact.look(entry)


def _told(answer: Answer) -> dict[str, Any]:
    """An answer as an entry of the response."""
    version, body = answer.version, answer.body
    response: dict[str, Any] = {"status": f"{answer.status} {HTTPStatus(answer.status).phrase}"}
    for name, header in (("location", "Location"), ("etag", "ETag")):
        if header in answer.headers:
            response[name] = answer.headers[header]
    if version:
        response["lastModified"] = instant(version.recorded_at)
    if body is None:
        return {"response": response}
    shown = fragment(body) if isinstance(body, str) else body
    if isinstance(body, dict) and body.get("resourceType") == "OperationOutcome":
        return {"response": {**response, "outcome": shown}}
    return {"resource": shown, "response": response}
