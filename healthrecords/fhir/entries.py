"""The entries of a batch or transaction: each a request of its own (R4 §2.36, §3.1.0.11)."""

import re
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qsl

from healthrecords.access.request import AccessRequest

from .answer import base_url
from .conditions import Conditions, of_headers
from .mapping import JSON
from .outcome import FHIRError
from .resource import Resource, registry

_URL = re.compile(
    r"(?P<kind>[A-Za-z]+)(?:/(?P<id>[A-Za-z0-9\-.]{1,64}))?(?P<history>/_history)?(?:/(?P<version>\d+))?(?:\?(?P<query>.*))?"
)
_HEADERS = {"ifMatch": "If-Match", "ifNoneMatch": "If-None-Match", "ifNoneExist": "If-None-Exist",
            "ifModifiedSince": "If-Modified-Since"}  # fmt: skip


@dataclass
class Entry:
    """One entry as a request. `asked` is who asks, for just this interaction."""

    at: int
    resource: Resource
    asked: AccessRequest
    logical_id: str | None = None
    version: str | None = None
    pairs: list[tuple[str, str]] = field(default_factory=list)
    body: JSON = field(default_factory=dict)
    full_url: str = ""
    conditions: Conditions = field(default_factory=Conditions)

    @property
    def interaction(self) -> str:
        return self.asked.interaction

    @property
    def writes(self) -> bool:
        return self.interaction in ("create", "update", "delete")


def read_entry(at: int, raw: Any, asked: AccessRequest, prefer: str) -> Entry:
    """Return the request that an entry is; raise FHIRError, with the path of the entry, for one that is none."""
    path = f"Bundle.entry[{at}]"
    request = raw.get("request") if isinstance(raw, dict) else None
    if not isinstance(request, dict):
        raise FHIRError.of(400, "required", "An entry of a batch or transaction needs a request.", f"{path}.request")
    method, url = request.get("method"), request.get("url")
    if not isinstance(method, str) or not isinstance(url, str):
        raise FHIRError.of(400, "required", "A request needs method and url.", f"{path}.request")
    headers = {name: request[key] for key, name in _HEADERS.items() if isinstance(request.get(key), str)}
    entry = _at_address(at, method, url, asked)
    entry.conditions = replace(of_headers(headers), prefer=prefer)
    entry.full_url = raw.get("fullUrl") if isinstance(raw.get("fullUrl"), str) else ""
    if method in ("POST", "PUT"):
        entry.body = raw.get("resource") or {}
    return entry


def _at_address(at: int, method: str, url: str, asked: AccessRequest) -> Entry:
    path = f"Bundle.entry[{at}].request.url"
    found = _URL.fullmatch(url.removeprefix(f"{base_url()}/").removeprefix("/"))
    resource = registry().get(found["kind"]) if found else None
    if found is None or resource is None:
        raise FHIRError.of(404, "not-found", f"'{url.partition('?')[0][:80]}' is no address of this server.", path)
    interaction = _interaction(method, found)
    if interaction is None:
        raise FHIRError.of(405, "not-supported", f"{method[:10]} is not supported at this address.", path)
    pairs = parse_qsl(found["query"] or "", keep_blank_values=True)
    return Entry(at, resource, asked.to(interaction, resource.name), found["id"], found["version"], pairs)


def _interaction(method: str, url: re.Match[str]) -> str | None:
    """The interaction of a method at an address, or None. The history of a type lists, as a search does."""
    known, past, version, query = (bool(url[name]) for name in ("id", "history", "version", "query"))
    if method == "GET":
        if past:
            return ("read" if version else "history") if known else "search"
        return "read" if known else "search"
    if past or query:
        return None
    return {("POST", False): "create", ("PUT", True): "update", ("DELETE", True): "delete"}.get((method, known))
