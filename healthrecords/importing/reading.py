"""Read a surveyed file as resources, one by one, each with its place in the file."""

import io
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

from healthrecords.fhir.mapping import JSON
from healthrecords.fhir.store import digest_of
from healthrecords.jsontext import BadJSON, parse_json

from . import bundles
from .bundles import BadEntry, Links
from .document import members
from .files import LONGEST_LINE, Survey, opened

Advance = Callable[[float], None]


@dataclass(frozen=True)
class Place:
    """Where something stands: a line (from 1; 0 in a file that is one document) and an entry of its Bundle (from 0)."""

    file: str
    line: int = 0
    entry: int | None = None


@dataclass
class Item:
    """A resource as a file brings it, with the digest of what was sent; or why the place holds none."""

    place: Place
    body: JSON
    digest: bytes = b""
    fault: str = ""

    @property
    def resource_type(self) -> str:
        return str(self.body.get("resourceType", "unknown"))

    @property
    def key(self) -> Any:
        """What no batch may hold twice."""
        return self.place if self.fault else (self.resource_type, self.body["id"])


def items(surveyed: Survey, advance: Advance = lambda _: None) -> Iterator[Item]:
    """The resources of a file, in its order, telling `advance` the bytes read; raise BadFile if it cannot be read."""
    if surveyed.by_line:
        with opened(surveyed.path) as stream:
            yield from _by_line(stream, surveyed.path.name, advance)
    else:
        yield from _document(surveyed, advance)


def _by_line(stream: BinaryIO, name: str, advance: Advance) -> Iterator[Item]:
    number = 0
    while line := stream.readline(LONGEST_LINE + 1):
        number += 1
        advance(len(line))
        place = Place(name, number)
        if len(line) > LONGEST_LINE:
            _skip_line(stream, line)
            yield Item(place, {}, fault=f"The line is longer than {LONGEST_LINE >> 20} MB.")
        elif line.strip():
            yield from _line(line, place)


def _skip_line(stream: BinaryIO, line: bytes) -> None:
    while line and not line.endswith(b"\n"):
        line = stream.readline(LONGEST_LINE)


def _line(line: bytes, place: Place) -> Iterator[Item]:
    try:
        value = parse_json(line)
    except BadJSON as fault:
        yield Item(place, {}, fault=str(fault))
        return
    if isinstance(value, dict) and value.get("resourceType") == "Bundle":
        yield from _bundle(value, place)
    else:
        yield _single(value, place)


def _single(value: Any, place: Place) -> Item:
    if not isinstance(value, dict):
        return Item(place, {}, fault="A resource is a JSON object.")
    return _item(place, value, lambda: bundles.with_id(value), Links())


def _bundle(bundle: JSON, place: Place) -> Iterator[Item]:
    entries, fault = bundle.get("entry", []), _bundle_fault(bundle.get("type"))
    if fault or not isinstance(entries, list):
        yield Item(place, {"resourceType": "Bundle"}, fault=fault or "Bundle.entry must be a list.")
        return
    links = Links()
    for entry in entries:
        links.note(entry)
    yield from _entries(entries, place, links)


def _bundle_fault(kind: Any) -> str:
    if kind in bundles.TYPES:
        return ""
    return f"Only Bundles of the types {', '.join(sorted(bundles.TYPES))} are imported."


def _entries(entries: Iterable[Any], place: Place, links: Links) -> Iterator[Item]:
    for number, entry in enumerate(entries):
        sent = entry.get("resource") if isinstance(entry, dict) else None
        at = Place(place.file, place.line, number)
        yield _item(at, sent if isinstance(sent, dict) else {}, lambda entry=entry: bundles.resource_of(entry), links)


def _item(place: Place, sent: JSON, identified: Any, links: Links) -> Item:
    """The item at a place: digest of what was sent, references as they are called here."""
    kind = {"resourceType": sent["resourceType"]} if isinstance(sent.get("resourceType"), str) else {}
    try:
        digest, body = digest_of(sent), identified()
    except BadEntry as fault:
        return Item(place, kind, fault=str(fault))
    except (UnicodeEncodeError, TypeError, ValueError):
        return Item(place, kind, fault="The resource holds text that is not Unicode.")
    for reference in bundles.references(body):
        reference["reference"] = links.resolve(reference["reference"]) or reference["reference"]
    return Item(place, body, digest)


def _document(surveyed: Survey, advance: Advance) -> Iterator[Item]:
    """A file that is one JSON object: a Bundle entry by entry, in two passes; any other resource as a whole."""
    place = Place(surveyed.path.name)
    try:
        frame, links = _outline(surveyed)
        if frame.get("resourceType") != "Bundle":
            yield from _whole(surveyed, place)
        elif fault := _bundle_fault(frame.get("type")):
            yield Item(place, {"resourceType": "Bundle"}, fault=fault)
        else:
            yield from _entries(_entry_values(surveyed, advance), place, links)
    except BadJSON as fault:
        yield Item(place, {}, fault=f"{fault} Nothing after it can be read.")


def _outline(surveyed: Survey) -> tuple[JSON, Links]:
    frame, links = {}, Links()
    for name, value in _members(surveyed):
        if name == "entry":
            links.note(value)
        elif name in ("resourceType", "type"):
            frame[name] = value
    return frame, links


def _whole(surveyed: Survey, place: Place) -> Iterator[Item]:
    if surveyed.size > LONGEST_LINE:
        yield Item(place, {}, fault=f"The resource is larger than {LONGEST_LINE >> 20} MB.")
        return
    with opened(surveyed.path) as stream:
        yield _single(parse_json(stream.read()), place)


def _entry_values(surveyed: Survey, advance: Advance) -> Iterator[Any]:
    return (value for name, value in _members(surveyed, advance) if name == "entry")


def _members(surveyed: Survey, advance: Advance = lambda _: None) -> Iterator[tuple[str, Any]]:
    with opened(surveyed.path) as stream, io.TextIOWrapper(stream, encoding="utf-8-sig", newline="") as text:

        def read(size: int) -> str:
            advance(size)
            return text.read(size)

        try:
            yield from members(read)
        except UnicodeDecodeError:
            raise BadJSON("The text is not UTF-8.") from None
