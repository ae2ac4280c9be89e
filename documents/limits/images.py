"""The dimensions of images, as their headers state them: a viewer asks for memory by them."""

import struct

from documents.limits.bounds import refuse_pixels
from documents.limits.reading import Reading, Source

_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # JPEG's start of frame, in all its kinds
_ALONE = frozenset({0x01, *range(0xD0, 0xD9)})  # markers without a length


def png(source: Source) -> Reading[None]:
    """PNG (W3C, §11.2.2)."""
    head = yield from source.read(24)
    _judge(">II", head[16:24])


def gif(source: Source) -> Reading[None]:
    """GIF89a (§18)."""
    head = yield from source.read(10)
    _judge("<HH", head[6:10])


def bmp(source: Source) -> Reading[None]:
    """Windows bitmaps; a negative height stands for a picture from the top."""
    head = yield from source.read(26)
    if head[6:10] != bytes(4):
        return
    if head[14:18] == b"\x0c\0\0\0":
        _judge("<HH", head[18:22])
    else:
        _judge("<ii", head[18:26])


def jpeg(source: Source) -> Reading[None]:
    """JPEG (T.81, annex B): the first frame."""
    yield from source.skip(2)
    while len(mark := (yield from source.read(2))) == 2:
        if mark[0] != 0xFF or mark[1] in _ALONE:
            continue
        length = int.from_bytes((yield from source.read(2)))
        if mark[1] in _FRAMES:
            _judge(">HH", (yield from source.read(5))[1:])
            return
        yield from source.skip(max(0, length - 2))


def tiff(source: Source) -> Reading[None]:
    """TIFF 6.0: the first image; its directory may stand anywhere behind the header."""
    head = yield from source.read(8)
    order = "<" if head[:2] == b"II" else ">"
    if len(head) < 8:
        return
    yield from source.skip(max(0, struct.unpack(order + "I", head[4:8])[0] - 8))
    count = yield from source.read(2)
    if len(count) < 2:
        return
    fields = yield from source.read(12 * struct.unpack(order + "H", count)[0])
    _judge_fields(order, fields)


def _judge_fields(order: str, fields: bytes) -> None:
    sides = {256: 0, 257: 0}
    for at in range(0, len(fields) - 11, 12):
        tag, kind = struct.unpack_from(order + "HH", fields, at)
        if tag in sides:
            sides[tag] = struct.unpack_from(order + ("H" if kind == 3 else "I"), fields, at + 8)[0]
    refuse_pixels(sides[256], sides[257])


def _judge(form: str, data: bytes) -> None:
    if len(data) == struct.calcsize(form):
        width, height = struct.unpack(form, data)
        refuse_pixels(abs(width), abs(height))
