"""PDF (ISO 32000), read from the front without its index: objects, streams, what Flate expands to, embedded files.

Every stream is expanded to its true end, whatever length it states. Encrypted streams do not inflate and stay opaque.
"""

import base64
import re
import zlib
from collections.abc import Callable

from documents.limits.bounds import PDF_FILTERS, Budget, beyond
from documents.limits.reading import Reading, Source, inflate
from documents.limits.zips import Opened

Sink = Callable[[bytes], None]
_MARK = re.compile(rb"endstream|(stream)\r?\n|\d[ \t\r\n\f\0]+(obj)")
_LONGEST = 16  # bytes of a mark
_DICTIONARY = 64 * 1024  # bytes of a stream's dictionary that are looked at
_FILTER = re.compile(rb"/Filter\s*(\[[^\]]*\]|/[^\s/\[\]<>()]+)")
_NAMES = {b"FlateDecode": "flate", b"Fl": "flate", b"ASCII85Decode": "a85", b"A85": "a85"}
_NAMES |= {b"ASCIIHexDecode": "hex", b"AHx": "hex"}
_PACKED = re.compile(rb"/N\s+(\d{1,9})")


def walk(source: Source, opened: Opened, budget: Budget) -> Reading[None]:
    """Read a PDF to its end; raise FHIRError 422 when it needs more than the limits permit."""
    text, at, begin = b"", 0, 0
    while piece := (yield from source.some()):
        text += piece
        while found := _MARK.search(text, at):
            at = found.end()
            if found[2]:
                budget.objects(1)
                begin = at
            elif found[1]:
                source.back(text[at:])
                yield from _stream(source, text[max(begin, at - _DICTIONARY) : found.start()], opened, budget)
                text, at, begin = b"", 0, 0
        at = max(at, len(text) - _LONGEST)
        drop = max(0, min(at, max(begin, len(text) - _DICTIONARY)))
        text, at, begin = text[drop:], at - drop, max(0, begin - drop)


def _stream(source: Source, dictionary: bytes, opened: Opened, budget: Budget) -> Reading[None]:
    budget.stream()
    words = re.sub(rb"#([0-9A-Fa-f]{2})", lambda found: bytes.fromhex(found[1].decode()), dictionary)
    if b"/ObjStm" in words and (packed := _PACKED.search(words)):
        budget.objects(int(packed[1]))
    filters = _filters(words) or (yield from _guessed(source))
    if b"/EmbeddedFile" in words:
        feed, end = opened.file()
        whole = yield from _decoded(source, filters, feed)
        if whole:
            end()
    else:
        yield from _decoded(source, filters, budget.expand_pdf)


def _filters(dictionary: bytes) -> list[str]:
    """The decoders of a stream from the outside in; "" for those that are not followed."""
    found = _FILTER.search(dictionary)
    names = re.findall(rb"/([^\s/\[\]<>()]+)", found[1]) if found else []
    if len(names) > PDF_FILTERS:
        raise beyond(f"A stream of the PDF has more than {PDF_FILTERS} filters.")
    return [_NAMES.get(name, "") for name in names]


def _guessed(source: Source) -> Reading[list[str]]:
    """The decoder of a stream that names none in place: its filter may stand elsewhere in the file (RFC 1950 §2.2)."""
    ahead = yield from source.read(2)
    source.back(ahead)
    return ["flate"] if ahead[:1] in (b"x", b"h", b"X", b"H") and int.from_bytes(ahead) % 31 == 0 else []


def _decoded(source: Source, filters: list[str], sink: Sink) -> Reading[bool]:
    """Give what a stream holds to `sink`; return whether that was all of it."""
    for name in reversed(filters[1:]):
        sink = _inner(name, sink)
    first = filters[0] if filters else "raw"
    try:
        if first == "flate":
            yield from inflate(source, zlib.decompressobj(), sink)
        elif first:
            yield from _until(source, {"a85": b"~>", "hex": b">", "raw": b"endstream"}[first], _inner(first, sink))
    except (zlib.error, EOFError, ValueError):
        return False
    return "" not in filters


def _until(source: Source, end: bytes, sink: Sink) -> Reading[None]:
    """Give what comes before `end` to `sink`."""
    held = b""
    while end not in held and (piece := (yield from source.some())):
        held += piece
        if end not in held:
            sink(held[:-_LONGEST])
            held = held[-_LONGEST:]
    before, _, after = held.partition(end)
    source.back(after)
    sink(re.sub(rb"\r?\n$", b"", before) if end == b"endstream" else before)


def _inner(name: str, sink: Sink) -> Sink:
    return {"flate": _Flate, "a85": _Ascii85, "hex": _Hex}.get(name, _Plain)(sink)


class _Plain:
    """What is passed on as it is."""

    def __init__(self, sink: Sink) -> None:
        self.sink, self.held = sink, b""

    def __call__(self, data: bytes) -> None:
        self.sink(data)


class _Flate(_Plain):
    """Flate inside of another filter."""

    def __init__(self, sink: Sink) -> None:
        super().__init__(sink)
        self.decoder = zlib.decompressobj()

    def __call__(self, data: bytes) -> None:
        while data and not self.decoder.eof:
            self.sink(self.decoder.decompress(data, 256 * 1024))
            data = self.decoder.unconsumed_tail


class _Ascii85(_Plain):
    """Five characters for four bytes; `z` for four zeros."""

    def __call__(self, data: bytes) -> None:
        self.held += re.sub(rb"\s", b"", data).replace(b"z", b"!!!!!")
        ready = len(self.held) - len(self.held) % 5
        self.sink(base64.a85decode(self.held[:ready]))
        self.held = self.held[ready:]


class _Hex(_Plain):
    """Two digits for each byte."""

    def __call__(self, data: bytes) -> None:
        self.held += re.sub(rb"\s", b"", data)
        ready = len(self.held) - len(self.held) % 2
        self.sink(bytes.fromhex(self.held[:ready].decode("ascii", "replace")))
        self.held = self.held[ready:]
