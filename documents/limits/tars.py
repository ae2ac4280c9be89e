"""tar (POSIX.1-2001 pax, ustar, GNU): files alone; links and devices are refused."""

import re

from documents.limits.bounds import damaged, hostile
from documents.limits.names import refuse_bad_name
from documents.limits.reading import Reading, Source
from documents.limits.zips import Opened

_BLOCK = 512
_FILES, _FOLDER = b"0\x007", b"5"
_LONG, _PAX = b"LK", b"xg"
_NOTES = 64 * 1024  # bytes of what may stand before a file about it


def is_tar(head: bytes) -> bool:
    """Whether content begins with the header of a tar: its checksum is right."""
    if len(head) < _BLOCK or not head.strip(b"\0"):
        return False
    return _number(head[148:156]) == sum(head[:148]) + 8 * 32 + sum(head[156:_BLOCK])


def walk(source: Source, opened: Opened) -> Reading[None]:
    """Read a tar to its end; raise FHIRError 422."""
    name, size = b"", -1
    while (head := (yield from source.read(_BLOCK))).strip(b"\0"):
        if not is_tar(head):
            raise damaged("The tar file is damaged or cut off, so that it cannot be looked into.")
        kind, length = head[156:157], _number(head[124:136])
        if kind in _LONG or kind in _PAX:
            name, size = _noted(kind, (yield from _notes(source, length)), name, size)
            continue
        if kind not in _FILES + _FOLDER:
            raise hostile("The tar file holds a link, a device or another thing that is no file.")
        refuse_bad_name(name or _name(head))
        yield from _file(source, opened, length if size < 0 else size)
        name, size = b"", -1


def _file(source: Source, opened: Opened, length: int) -> Reading[None]:
    feed, end = opened.file()
    left = length
    while left and (piece := (yield from source.some(min(left, 256 * 1024)))):
        left -= len(piece)
        feed(piece)
    if left:
        raise damaged("The tar file is cut off, so that it cannot be looked into.")
    end()
    yield from source.skip(-length % _BLOCK)


def _notes(source: Source, length: int) -> Reading[bytes]:
    if length > _NOTES:
        raise hostile(f"The tar file has more than {_NOTES} bytes to say about one file.")
    notes = yield from source.exactly(length)
    yield from source.skip(-length % _BLOCK)
    return notes


def _noted(kind: bytes, notes: bytes, name: bytes, size: int) -> tuple[bytes, int]:
    """The name and size that notes give to the next file; raise FHIRError 422 for those of a link."""
    if kind == b"L":
        return notes.removesuffix(b"\0"), size
    if kind == b"x":
        found = dict(re.findall(rb"(?:^|\n)\d+ (path|size)=([^\n]*)", notes))
        given = found.get(b"size", b"")
        return found.get(b"path", name), int(given) if given.isdigit() and len(given) < 20 else size
    return name, size


def _name(head: bytes) -> bytes:
    name, prefix = head[:100].partition(b"\0")[0], head[345:500].partition(b"\0")[0]
    return prefix + b"/" + name if prefix and head[257:263] == b"ustar\0" else name


def _number(field: bytes) -> int:
    if field[:1] == b"\x80":
        return int.from_bytes(field[1:])
    digits = field.strip(b" \0")
    return int(digits, 8) if re.fullmatch(b"[0-7]+", digits) else 0
