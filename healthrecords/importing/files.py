"""Files of an import: plain or gzip by their first bytes, surveyed once before anything is read from them."""

import gzip
import hashlib
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from healthrecords.jsontext import BadJSON, parse_json

_GZIP = b"\x1f\x8b"
_CHUNK = 1 << 20
_PEEK = 2 * _CHUNK  # bytes by which lines and documents are told apart
LONGEST_LINE = 64 * _CHUNK  # bytes; a Bundle larger than this comes as a document of its own


class BadFile(Exception):
    """A file that cannot be read; the message is one sentence that names it."""


@dataclass(frozen=True)
class Survey:
    """What a first pass found: SHA-256 and size of the (unpacked) content, and whether it has a resource a line."""

    path: Path
    digest: str
    size: int
    by_line: bool


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """Open a file for reading, unpacked; raise BadFile for what stops it, also while it is read."""
    try:
        with path.open("rb") as raw:
            packed = raw.read(2) == _GZIP
            raw.seek(0)
            if packed:
                with gzip.open(raw) as unpacked:
                    yield unpacked  # type: ignore[misc]
            else:
                yield raw
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise BadFile(f"{path.name} is a damaged gzip file.") from None
    except OSError as fault:
        raise BadFile(f"{path.name} cannot be read ({fault.strerror or type(fault).__name__}).") from None


def survey(path: Path) -> Survey:
    """Read a file once from end to end; raise BadFile if that is not possible or it is empty."""
    with opened(path) as stream:
        head = chunk = stream.read(_PEEK)
        digest, size, breaks, ended = hashlib.sha256(), 0, 0, False
        while chunk:
            digest.update(chunk)
            size += len(chunk)
            breaks += chunk.count(b"\n")
            ended = chunk.endswith(b"\n")
            chunk = stream.read(_CHUNK)
    if not size:
        raise BadFile(f"{path.name} is empty.")
    return Survey(path, digest.hexdigest(), size, _is_by_line(head, several=breaks - ended > 0))


def _is_by_line(head: bytes, several: bool) -> bool:
    """Tell a resource a line from one document: by the first two lines, or their number if the first is long."""
    first, line_break, rest = head.lstrip().partition(b"\n")
    if not line_break and len(head) == _PEEK:
        return several
    return _is_object(first) or _is_object(rest.lstrip().partition(b"\n")[0])


def _is_object(line: bytes) -> bool:
    try:
        return isinstance(parse_json(line), dict)
    except BadJSON:
        return False
