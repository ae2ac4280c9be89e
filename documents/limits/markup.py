"""What stands before the first element of XML: no document type, since that is where entities are declared.

Entities are what lets ten lines expand to gigabytes, or a reader fetch a file or an address (XXE). C-CDA has no DTD
(CDA R2 §4.2); HTML and SVG name theirs, but declare nothing in it.
"""

from documents.limits.bounds import PROLOG, beyond, hostile
from documents.limits.reading import Reading, Source

_BLANK = b"\xef\xbb\xbf\xff\xfe \t\r\n"  # with the marks of UTF-8 and UTF-16
_CLOSED_BY = {b"<?": b"?>", b"<!--": b"-->"}
_TYPE = b"<!DOCTYPE"


def is_markup(head: bytes) -> bool:
    """Whether content may be read as XML or HTML, in whatever Unicode encoding."""
    return _plain(head).startswith(b"<")


def walk(source: Source, may_name_type: bool) -> Reading[None]:
    """Read up to the first element; raise FHIRError 422 for a document type that declares, or, unless it may, is."""
    text = b""
    while True:
        text = yield from _at_least(source, text, len(_TYPE))
        closed = next((end for begin, end in _CLOSED_BY.items() if text.startswith(begin)), None)
        if closed is None:
            break
        text = yield from _past(source, text, closed)
    if text[: len(_TYPE)].upper() == _TYPE:
        yield from _judge(source, text, may_name_type)


def _judge(source: Source, text: bytes, may_name_type: bool) -> Reading[None]:
    if not may_name_type:
        raise hostile("The XML has a document type (DTD), which could expand or fetch anything; send it without.")
    while b">" not in text and b"[" not in text and (piece := (yield from source.some())):
        text = _bounded(text + piece.replace(b"\0", b""))
    if b"[" in text.partition(b">")[0]:
        raise hostile("The markup declares entities in its document type (DTD); send it without.")


def _at_least(source: Source, text: bytes, size: int) -> Reading[bytes]:
    while len(text := _plain(text)) < size and (piece := (yield from source.some())):
        text += piece
    return text


def _past(source: Source, text: bytes, end: bytes) -> Reading[bytes]:
    while end not in text and (piece := (yield from source.some())):
        text = _bounded(text + piece.replace(b"\0", b""))
    return text.partition(end)[2]


def _bounded(text: bytes) -> bytes:
    if len(text) > PROLOG + 512 * 1024:  # a piece comes on top
        raise beyond(f"The markup has a comment or instruction of more than {PROLOG // 1024} KB before its content.")
    return text


def _plain(text: bytes) -> bytes:
    return text.replace(b"\0", b"").lstrip(_BLANK)
