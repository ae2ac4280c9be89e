"""Pages that neither skip nor repeat while rows change, behind opaque links.

Unsorted, a page starts after the last key of the one before: keys never change, new rows come at the end. Sorted by
what may change, the order is fixed at the first page (keys only, an hour in the cache) and later pages walk it.
Links are sealed: they hold the search text, which may hold a name, and cannot be made up.
"""

import base64
import binascii
import secrets
import time
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.cache import cache

from healthrecords.crypto.envelope import CannotOpen, open_sealed, seal
from healthrecords.jsontext import BadJSON, dump_json, parse_json
from healthrecords.records import Record, RecordQuerySet

from .faults import BadSearch, PageGone
from .query import Search

LIFETIME = 3600  # seconds that a link works
_AAD = "fhir.page|link"


@dataclass
class Page:
    """The rows of a page and the state that the link to the next one carries (None at the end)."""

    rows: list[Any]
    following: dict[str, Any] | None


def seal_link(state: dict[str, Any]) -> str:
    """Return `state` as the text of a link."""
    envelope = seal(dump_json({**state, "t": int(time.time())}), _AAD)
    return base64.urlsafe_b64encode(envelope).decode().rstrip("=")


def open_link(text: str) -> dict[str, Any]:
    """Return the state of a link; raise BadSearch for one that we did not make and PageGone for an old one."""
    try:
        envelope = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        state: dict[str, Any] = parse_json(open_sealed(envelope, _AAD))
    except (binascii.Error, ValueError, CannotOpen, BadJSON):
        raise BadSearch("This page link is damaged; start the search again.") from None
    if time.time() - state["t"] > LIFETIME:
        raise PageGone("This page link has expired; start the search again.")
    return state


def page_of(queryset: RecordQuerySet, search: Search, state: dict[str, Any]) -> Page:
    """Return the page of `queryset` (visible, narrowed) that `state` points to; an empty state is the first."""
    return _in_fixed_order(queryset, search, state) if search.order else _by_key(queryset, search, state)


def _by_key(queryset: RecordQuerySet, search: Search, state: dict[str, Any]) -> Page:
    if "after" in state:
        queryset = queryset.filter(uuid__gt=UUID(state["after"]))
    rows = list(queryset.order_by("uuid").select_related("current")[: search.count + 1])
    more = len(rows) > search.count
    return Page(rows[: search.count], {"after": str(rows[search.count - 1].uuid)} if more else None)


def _in_fixed_order(queryset: RecordQuerySet, search: Search, state: dict[str, Any]) -> Page:
    keys, name = _recall(state["order"]) if state else (_fix(queryset, search.order), "")
    at = state.get("at", 0)
    rows: list[Record] = []
    while at < len(keys) and len(rows) < search.count:  # rows that are gone by now leave no gap
        chunk = keys[at : at + search.count - len(rows)]
        found = {row.uuid: row for row in queryset.filter(uuid__in=chunk).select_related("current")}
        rows += [found[key] for key in chunk if key in found]
        at += len(chunk)
    if at >= len(keys):
        return Page(rows, None)
    return Page(rows, {"order": name or _remember(keys), "at": at})


def _fix(queryset: RecordQuerySet, order: tuple[str, ...]) -> list[UUID]:
    last = "-uuid" if order[0].startswith("-") else "uuid"
    keys = list(queryset.order_by(*order, last).values_list("uuid", flat=True)[: settings.FHIR_MAX_SORTED + 1])
    if len(keys) > settings.FHIR_MAX_SORTED:
        raise BadSearch(f"More than {settings.FHIR_MAX_SORTED} records would have to be sorted; narrow the search.")
    return keys


def _remember(keys: list[UUID]) -> str:
    name = secrets.token_urlsafe(16)
    cache.set(f"fhir-order-{name}", b"".join(key.bytes for key in keys), LIFETIME)
    return name


def _recall(name: str) -> tuple[list[UUID], str]:
    kept = cache.get(f"fhir-order-{name}")
    if kept is None:
        raise PageGone("This page link has expired; start the search again.")
    return [UUID(bytes=kept[at : at + 16]) for at in range(0, len(kept), 16)], name
