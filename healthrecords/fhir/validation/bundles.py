"""What R4 says of a Bundle beyond its invariants (§2.36): fullUrls, links, search results, documents."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from .primitives import is_absolute
from .references import target_type
from .rules import Scope
from .rules.registry import listed, text_of, within

JSON = dict[str, Any]
Found = tuple[str, str, str]

# What a Composition names must be in its document (R4 §3.3.1); paths of references in it.
_IN_DOCUMENT = ("subject", "encounter", "author", "attester.party", "custodian", "event.detail")
_IN_SECTION = ("author", "focus", "entry")
_NOWHERE = Scope({})


def types_by_url(bundle: JSON) -> dict[str, str]:
    """The resource types of the entries by fullUrl."""
    return {
        text_of(each, "fullUrl"): text_of(each.get("resource"), "resourceType")
        for each in listed(bundle, "entry")
        if text_of(each, "fullUrl")
    }


def faults(bundle: JSON, path: str) -> Iterator[Found]:
    """What is wrong with a Bundle as such: IssueType code, sentence, path."""
    yield from _link_faults(bundle, path)
    kind, entries = bundle.get("type"), bundle.get("entry")
    for position, entry in enumerate(entries if isinstance(entries, list) else []):
        if isinstance(entry, dict):
            yield from _url_faults(entry, f"{path}.entry[{position}]")
            if kind == "searchset":
                yield from _result_faults(entry, f"{path}.entry[{position}].resource")
    if kind == "document":
        yield from _document_faults(bundle, path)


def _link_faults(bundle: JSON, path: str) -> Iterator[Found]:
    seen: set[str] = set()
    for position, link in enumerate(listed(bundle, "link")):
        relation = text_of(link, "relation")
        if relation in seen:
            yield "invalid", f"The link relation '{relation[:60]}' may stand once.", f"{path}.link[{position}]"
        seen.add(relation)


def _url_faults(entry: JSON, path: str) -> Iterator[Found]:
    url, resource = text_of(entry, "fullUrl"), within(entry, "resource")
    if not url:
        return
    if not is_absolute(url):
        yield "invalid", f"The fullUrl '{url[:100]}' must be an absolute URL, urn:uuid:… or urn:oid:….", path
        return
    name, identity = text_of(resource, "resourceType"), text_of(resource, "id")
    if target_type(url, _NOWHERE) and name and identity and not url.endswith(f"/{name}/{identity}"):
        yield "invalid", f"The fullUrl must end with /{name[:60]}/{identity[:64]}, as the resource says.", path


def _result_faults(entry: JSON, path: str) -> Iterator[Found]:
    resource, mode = within(entry, "resource"), within(entry, "search").get("mode")
    name = text_of(resource, "resourceType")
    if mode == "outcome" and name and name != "OperationOutcome":
        yield "invalid", f"An entry of mode 'outcome' is an OperationOutcome, not a {name[:60]}.", path
    if mode in ("match", "include") and resource and "id" not in resource:
        yield "invalid", "A resource that a search found has an id.", path


def _document_faults(bundle: JSON, path: str) -> Iterator[Found]:
    entries = listed(bundle, "entry")
    first = entries[0] if entries else {}
    composition = within(first, "resource")
    if composition.get("resourceType") != "Composition":
        return
    held = _addresses(entries)
    base = text_of(first, "fullUrl").removesuffix(f"Composition/{text_of(composition, 'id')}")
    for reference, at in _named(composition, f"{path}.entry[0].resource"):
        literal = text_of(reference, "reference")
        url = literal if is_absolute(literal) else base + literal
        if not literal or literal.startswith("#") or held[url] == 1:
            continue
        if held[url]:
            yield "invalid", f"'{literal[:100]}' is in the document {held[url]} times.", at
        elif not literal.startswith(("http:", "https:")):
            yield "not-found", f"'{literal[:100]}' is not in the document; its fullUrl would be '{url[:200]}'.", at


def _addresses(entries: list[JSON]) -> Counter[str]:
    """How many entries each address names: the fullUrl, and that of the version where the resource has one."""
    held: Counter[str] = Counter()
    for entry in entries:
        url, version = text_of(entry, "fullUrl"), text_of(within(entry, "resource", "meta"), "versionId")
        held[url] += 1
        if version:
            held[f"{url}/_history/{version}"] += 1
    return held


def _named(composition: JSON, path: str) -> Iterator[tuple[JSON, str]]:
    for steps in _IN_DOCUMENT:
        yield from _at(composition, steps.split("."), path)
    yield from _in_sections(composition, path)


def _in_sections(owner: JSON, path: str) -> Iterator[tuple[JSON, str]]:
    for section, at in _at(owner, ["section"], path):
        for name in _IN_SECTION:
            yield from _at(section, [name], at)
        yield from _in_sections(section, at)


def _at(element: JSON, steps: list[str], path: str) -> Iterator[tuple[JSON, str]]:
    """The objects at the end of a path, each with where it is."""
    if not steps:
        yield element, path
        return
    value = element.get(steps[0])
    if isinstance(value, dict):
        yield from _at(value, steps[1:], f"{path}.{steps[0]}")
    for position, item in enumerate(value if isinstance(value, list) else []):
        if isinstance(item, dict):
            yield from _at(item, steps[1:], f"{path}.{steps[0]}[{position}]")
