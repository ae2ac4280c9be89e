"""Fill what a sender left out of a DocumentReference from the header of its C-CDA; nothing that was sent changes."""

from collections.abc import Iterator
from uuid import UUID
from xml.etree.ElementTree import Element  # nosec B405  a type; defusedxml parses

from documents import contents
from documents.models import Content
from healthrecords.access.request import Actor
from healthrecords.fhir.outcome import FHIRError

from . import header
from .reading import NotReadable, header_of
from .values import JSON

XML = frozenset({"application/xml", "application/hl7-cda+xml"})


def header_in(content: Content) -> Element | None:
    """The header of stored content; None where it is no C-CDA, or is not given out now."""
    if content.true_type not in XML:
        return None
    try:
        return header_of(contents.whole(content))
    except (NotReadable, FHIRError):
        return None


def filled(body: JSON, root: Element, position: int) -> JSON:
    """Return the document with what the header of its content at `position` adds to it."""
    said = header.elements_of(root)
    entries = list(body["content"])
    attachment = {**header.attachment_of(root), **entries[position]["attachment"]}
    entries[position] = {**entries[position], "attachment": attachment}
    context = {**said.pop("context", {}), **body.get("context", {})}
    return {**said, **body, "content": entries, **({"context": context} if context else {})}


def completed(body: JSON, author: Actor) -> JSON:
    """Return a document by `author` with what the headers of its C-CDAs in the store add to it."""
    for position, root in _headers_of(body, author):
        body = filled(body, root, position)
    return body


def _headers_of(body: JSON, author: Actor) -> Iterator[tuple[int, Element]]:
    """The headers of those contents of a document by `author` that lie in the store, by their positions."""
    for position, each in enumerate(body.get("content", [])):
        content = _content(each.get("attachment", {}).get("url"), author)
        root = header_in(content) if content else None
        if root is not None:
            yield position, root


def _content(url: object, author: Actor) -> Content | None:
    """The content that an address of this server names, if a document by `author` may point to it."""
    name = url.removeprefix("Binary/") if isinstance(url, str) else ""
    try:
        return Content.objects.open_to(author).filter(pk=UUID(name)).first() if name else None
    except ValueError:
        return None
