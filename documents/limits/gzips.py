"""gzip (RFC 1952): one file in one or more members."""

import zlib

from documents.limits.bounds import damaged, hostile
from documents.limits.reading import Reading, Source, inflate
from documents.limits.zips import Opened


def walk(source: Source, opened: Opened) -> Reading[None]:
    """Expand a gzip; raise FHIRError 422 where it is damaged or followed by something else."""
    feed, end = opened.file()
    while True:
        try:
            yield from inflate(source, zlib.decompressobj(31), feed)
        except (zlib.error, EOFError):
            raise damaged("The gzip file is damaged or cut off, so that it cannot be looked into.") from None
        ahead = yield from source.read(2)
        if ahead != b"\x1f\x8b":
            break
        source.back(ahead)
    end()
    while ahead:
        if ahead.strip(b"\0"):
            raise hostile("The gzip file is followed by other data.")
        ahead = yield from source.some()
