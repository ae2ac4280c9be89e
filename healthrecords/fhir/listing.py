"""Search and history: Bundles whose pages neither skip nor repeat, with their rows in the trail."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from healthrecords import trail
from healthrecords.access import policy
from healthrecords.access.request import EMERGENCY, AccessRequest, Disclosure
from healthrecords.records import RecordVersion

from .answer import Answer, base_url, etag
from .outcome import FHIRError, not_found
from .primitives import ID, span
from .resource import Resource, is_directory
from .search import include, paging, query
from .search.params import BadSearch
from .shaping import Shape, fragment
from .store import instant

Pairs = list[tuple[str, str]]


def search(resource: Resource, asked: AccessRequest, pairs: Pairs) -> Answer:
    """Answer a search, or the next page of one, with a searchset Bundle."""
    state, pairs = resume(resource, asked, pairs, "search")
    refuse_unbound(resource, asked, pairs)
    wanted = query.parse(resource, pairs, asked)
    shape = Shape(wanted.summary, wanted.elements)
    with transaction.atomic():
        rows = wanted.narrow(policy.visible(resource.model.objects.live(), asked))
        page = paging.Page([], None) if wanted.summary == "count" else paging.page_of(rows, wanted, state)
        total = rows.count() if wanted.total != "none" or wanted.summary == "count" else None
        added = include.follow(wanted.includes, page.rows, resource, asked)
        shown = [(resource, row.current) for row in page.rows] + [(kind, row.current) for kind, row in added]
        _disclose(asked, shown, wanted.text)
    entries = [_found(kind, version, shape, at < len(page.rows)) for at, (kind, version) in enumerate(shown)]
    links = links_of(f"{base_url()}/{resource.name}", pairs, page.following, holder_of(resource, asked, "search"))
    return Answer(200, bundle_of("searchset", links, entries, total))


def history(resource: Resource, asked: AccessRequest, logical_id: str | None, pairs: Pairs) -> Answer:
    """Answer with the versions of one record or of all of a type, newest first."""
    state, pairs = resume(resource, asked, pairs, "history")
    refuse_unbound(resource, asked, [("_id", logical_id)] if logical_id else [])
    count, conditions = _history_terms(pairs)
    with transaction.atomic():
        seen = policy.visible(resource.model.objects.all(), asked)
        if logical_id is not None:
            if not ID.fullmatch(logical_id):
                raise not_found(resource.name)
            seen = seen.filter(logical_id=logical_id)
            if not seen.exists():
                raise not_found(resource.name)
        every = RecordVersion.objects.filter(
            *conditions, resource_type=resource.name, logical_id__in=seen.values("logical_id")
        )
        rows = policy.visible_versions(every, asked)
        total = rows.count() if logical_id is not None else None
        page, following = _history_page(rows, count, state)
        _disclose(asked, [(resource, version) for version in page], "")
    path = f"{base_url()}/{resource.name}{f'/{logical_id}' if logical_id is not None else ''}/_history"
    links = links_of(path, pairs, following, holder_of(resource, asked, "history"))
    return Answer(200, bundle_of("history", links, [_past(version) for version in page], total))


def refuse_unbound(resource: Resource, asked: AccessRequest, pairs: Pairs) -> None:
    """Raise FHIRError 403 for a list under the purpose of an emergency that does not name the one it is about."""
    named = {name.partition(":")[0] for name, value in pairs if value and "," not in value}
    if asked.purpose == EMERGENCY and not (resource.directory or named & {"_id", "patient", "subject"}):
        text = f"Under {EMERGENCY} a search names its one patient, as patient=ID, or one record, as _id=ID."
        raise FHIRError.of(403, "forbidden", text)


def resume(resource: Resource, asked: AccessRequest, pairs: Pairs, kind: str) -> tuple[dict[str, Any], Pairs]:
    """Return the state and the terms that a page link carries, or no state and the terms as sent."""
    link = next((value for name, value in pairs if name == "_page"), None)
    if link is None:
        return {}, pairs
    state = paging.open_link(link)
    if state["for"] != holder_of(resource, asked, kind):
        raise BadSearch("This page link belongs to another search; start the search again.")
    return state["state"], [(name, value) for name, value in state["terms"]]


def holder_of(resource: Resource, asked: AccessRequest, kind: str) -> list[str]:
    """What a link is bound to: nobody else may use it, and for nothing else."""
    return [kind, resource.name, asked.actor.kind, asked.actor.id]


def links_of(path: str, pairs: Pairs, following: dict[str, Any] | None, holder: list[str]) -> list[dict[str, str]]:
    """The links of a page: the search itself and, unless `following` is empty, the next page."""
    terms = query.Search(pairs=pairs).text
    links = [{"relation": "self", "url": f"{path}?{terms}" if terms else path}]
    if following:
        link = paging.seal_link({"for": holder, "state": following, "terms": pairs})
        links.append({"relation": "next", "url": f"{path}?_page={link}"})
    return links


def bundle_of(kind: str, links: list[dict[str, str]], entries: list[Any], total: int | None) -> dict[str, Any]:
    """A Bundle of a page."""
    counted = {} if total is None else {"total": total}
    listed = {"entry": entries} if entries else {}
    return {"resourceType": "Bundle", "type": kind, **counted, "link": links, **listed}


def _found(resource: Resource, version: RecordVersion, shape: Shape, match: bool) -> dict[str, Any]:
    url = f"{base_url()}/{version.resource_type}/{version.logical_id}"
    body = shape.entry(resource, str(version.content))
    return {"fullUrl": url, "resource": body, "search": {"mode": "match" if match else "include"}}


_PAST = {
    RecordVersion.Interaction.CREATE: ("POST", "201"),
    RecordVersion.Interaction.UPDATE: ("PUT", "200"),
    RecordVersion.Interaction.DELETE: ("DELETE", "204"),
}


def _past(version: RecordVersion) -> dict[str, Any]:
    method, status = _PAST[RecordVersion.Interaction(version.interaction)]
    address = f"{version.resource_type}/{version.logical_id}"
    body = {"resource": fragment(str(version.content))} if version.content else {}
    return {
        "fullUrl": f"{base_url()}/{address}",
        **body,
        "request": {"method": method, "url": version.resource_type if method == "POST" else address},
        "response": {
            "status": status,
            "etag": etag(version.version),
            "lastModified": instant(version.recorded_at),
        },
    }


def _history_terms(pairs: Pairs) -> tuple[int, list[Q]]:
    """Read `_count` and `_since`; anything else is refused."""
    count, conditions = query.page_size(None), []
    for name, value in pairs:
        if name == "_count":
            count = query.page_size(value) or 1
        elif name == "_since":
            conditions.append(Q(recorded_at__gte=_since(value)))
        elif name not in query.RENDERING:
            raise BadSearch(f"A history has no parameter '{name[:60]}'; it takes _count and _since.")
    return count, conditions


def _since(value: str) -> datetime:
    try:
        return span(value.replace(" ", "+"))[0]
    except ValueError:
        raise BadSearch("_since takes an instant such as 2024-05-17T10:00:00Z.") from None


def _history_page(rows: Any, count: int, state: dict[str, Any]) -> tuple[list[RecordVersion], dict[str, Any] | None]:
    if state:
        at, key = datetime.fromisoformat(state["at"]), UUID(state["key"])
        rows = rows.filter(Q(recorded_at__lt=at) | Q(recorded_at=at, uuid__lt=key))
    page = list(rows.order_by("-recorded_at", "-uuid")[: count + 1])
    if len(page) <= count:
        return page, None
    last = page[count - 1]
    return page[:count], {"at": last.recorded_at.isoformat(), "key": str(last.uuid)}


def _disclose(asked: AccessRequest, shown: list[tuple[Resource, RecordVersion]], text: str) -> None:
    """Leave a row for each patient shown; one for a search that showed nobody, unless it was of the directory."""
    disclosed = [
        Disclosure(resource.name, [(version.logical_id, version.version, version.patients)])
        for resource, version in shown
        if not resource.directory
    ]
    if disclosed or not is_directory(asked.resource_type):
        trail.record(asked, trail.disclosed(asked.interaction, disclosed, query=text))
