"""ZIP (APPNOTE 6.3.10), read from the front: each local file is expanded, then the directory must say the same.

Readers go by the directory. One that names other places than the files that were counted (overlapping files, hidden
ones, two archives in one) is refused, so that no reader finds anything that was not counted.
"""

import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from documents.limits.bounds import damaged, hostile
from documents.limits.names import refuse_bad_name
from documents.limits.reading import Reading, Source, inflate

LOCAL, CENTRAL, END = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"
_END64, _LOCATOR64, _DESCRIPTOR = b"PK\x06\x06", b"PK\x06\x07", b"PK\x07\x08"
_STORED, _DEFLATED = 0, 8
_FULL = 0xFFFFFFFF  # stands for: see the ZIP64 field


class Entry(NamedTuple):
    """One file as both headers must describe it."""

    name: bytes
    crc: int
    packed: int
    size: int


@dataclass
class Inner:
    """Where a file's bytes go: to be looked at, counted and summed."""

    feed: Callable[[bytes], None]
    size: int = 0
    crc: int = 0

    def take(self, data: bytes) -> None:
        """Pass on some bytes of the file."""
        self.size += len(data)
        self.crc = zlib.crc32(data, self.crc)
        self.feed(data)


class Opened(Protocol):
    """What a reader of archives does with each file in it: `file` gives a sink and what ends it."""

    def file(self) -> tuple[Callable[[bytes], None], Callable[[], None]]:
        """Begin a file."""
        ...


def walk(source: Source, opened: Opened) -> Reading[None]:
    """Read a ZIP; raise FHIRError 422 for what is none, is encrypted, or contradicts itself."""
    entries: dict[int, Entry] = {}
    while (at := source.at, mark := (yield from source.exactly(4)))[1] == LOCAL:
        entries[at] = yield from _file(source, opened)
    count, begin = 0, at
    while mark == CENTRAL:
        offset, entry = yield from _directory_entry(source)
        if entries.get(offset) != entry:
            raise _contradiction()
        count += 1
        entries[offset] = Entry(b"", -1, -1, -1)  # named once is enough
        mark = yield from source.exactly(4)
    if count != len(entries):
        raise _contradiction()
    yield from _end(source, mark, count, begin)


def _file(source: Source, opened: Opened) -> Reading[Entry]:
    head = struct.unpack("<HHHHHIIIHH", (yield from source.exactly(26)))
    _, flags, method, _, _, crc, packed, size, name_length, extra_length = head
    name = yield from source.exactly(name_length)
    extra = yield from source.exactly(extra_length)
    refuse_bad_name(name)
    if flags & 1 or flags & 0x40:
        raise hostile("The archive is encrypted, so that nobody can look into it; send its files as they are.")
    size, packed = _wide(extra, size, packed)
    feed, end = opened.file()
    inner, begin = Inner(feed), source.at
    yield from _expanded(source, method, packed, bool(flags & 8), inner)
    end()
    found = Entry(name, inner.crc, source.at - begin, inner.size)
    if flags & 8:
        yield from _descriptor(source, found)
    elif found != Entry(name, crc, packed, size):
        raise _contradiction()
    return found


def _expanded(source: Source, method: int, packed: int, streamed: bool, inner: Inner) -> Reading[None]:
    if method == _DEFLATED:
        try:
            yield from inflate(source, zlib.decompressobj(-15), inner.take)
        except (zlib.error, EOFError):
            raise damaged("The archive is damaged or cut off, so that it cannot be looked into.") from None
    elif method == _STORED and not (streamed and packed == 0):
        left = packed
        while left and (piece := (yield from source.some(min(left, 256 * 1024)))):
            left -= len(piece)
            inner.take(piece)
    elif method != _STORED:
        raise damaged(f"The archive uses compression method {method}, which is not looked into; use deflate.")


def _descriptor(source: Source, found: Entry) -> Reading[None]:
    """Read the sizes behind a file that was written as a stream, in whichever of the four forms they stand."""
    ahead = yield from source.read(24)
    for sizes in ("<III", "<IQQ"):
        plain = struct.pack(sizes, found.crc, found.packed, found.size)
        for form in (_DESCRIPTOR + plain, plain):
            if ahead.startswith(form):
                return source.back(ahead[len(form) :])
    raise _contradiction()


def _directory_entry(source: Source) -> Reading[tuple[int, Entry]]:
    head = struct.unpack("<BBHHHHHIIIHHHHHII", (yield from source.exactly(42)))
    system, crc, packed, size, lengths, mode, offset = head[1], *head[7:10], head[10:13], head[15] >> 16, head[16]
    name = yield from source.exactly(lengths[0])
    extra = yield from source.exactly(lengths[1])
    yield from source.exactly(lengths[2])
    if system == 3 and mode & 0o170000 == 0o120000:
        raise hostile("The archive holds a link in place of a file.")
    size, packed, offset = _wide(extra, size, packed, offset)
    return offset, Entry(name, crc, packed, size)


def _end(source: Source, mark: bytes, count: int, begin: int) -> Reading[None]:
    if mark == _END64:
        yield from source.exactly(int.from_bytes((yield from source.exactly(8)), "little"))
        if (yield from source.exactly(4)) != _LOCATOR64:
            raise _contradiction()
        yield from source.exactly(16)
        mark = yield from source.exactly(4)
    if mark != END:
        raise _contradiction()
    _, _, _, total, _, offset, comment = struct.unpack("<HHHHIIH", (yield from source.exactly(18)))
    if total not in (count, 0xFFFF) or offset not in (begin, _FULL):
        raise _contradiction()
    yield from source.exactly(comment)
    if (yield from source.read(1)):
        raise hostile("The archive is followed by other data.")


def _wide(extra: bytes, *values: int) -> tuple[int, ...]:
    """Put the 64-bit values of the ZIP64 field in place of those that say that they stand there (§4.5.3)."""
    wide = _field(extra, 1)
    places = iter([wide[at : at + 8] for at in range(0, len(wide) - 7, 8)])
    return tuple(int.from_bytes(next(places, b"\xff" * 4), "little") if value == _FULL else value for value in values)


def _field(extra: bytes, wanted: int) -> bytes:
    while len(extra) >= 4:
        kind, length = struct.unpack("<HH", extra[:4])
        if kind == wanted:
            return extra[4 : 4 + length]
        extra = extra[4 + length :]
    return b""


def _contradiction() -> Exception:
    return hostile("The archive contradicts itself: its directory is not that of the files in it.")


def is_at_the_end(tail: bytes) -> bool:
    """Whether content that ends with `tail` (65,557 bytes of it, or all) is a ZIP to a reader that begins there."""
    at = tail.rfind(END)
    while at >= 0:
        if len(tail) >= at + 22 and at + 22 + int.from_bytes(tail[at + 20 : at + 22], "little") == len(tail):
            return True
        at = tail.rfind(END, 0, at)
    return False
