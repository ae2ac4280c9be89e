"""Content sealed in chunks while it streams: the store gets nothing that it could read or change unnoticed.

A sealed object is a header and chunks of AES-256-GCM (NIST SP 800-38D), each with a key of the object's own. The nonce
is the chunk's index and whether it is the last (the STREAM construction: Hoang, Reyhanitabar, Rogaway, Vizar 2015);
the header and the object's name are authenticated with each. So a chunk that was changed, moved, repeated, left out,
put behind the end or taken from another object does not open. No nonce repeats, since no key seals two objects.

The key itself is kept beside the object's row, wrapped by the field keys: rotating those rewrites rows, not objects.
"""

import hashlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

CHUNK = 256 * 1024  # bytes of content
TAG = 16
_SEALED = CHUNK + TAG
_MAGIC = b"HRS\x01"  # with the version of the format
_HEADER = len(_MAGIC) + 8 + 4


class Damaged(Exception):
    """A sealed object that is not what was stored under its name."""


def new_key() -> bytes:
    """A key for one object."""
    return os.urandom(32)


@dataclass(frozen=True)
class Span:
    """Where in a sealed object the chunks with some bytes of the content lie; `begin` and `end` (exclusive) are bytes.

    `skip` bytes of what the chunks hold come before those asked for, of which there are `length`.
    """

    first: int
    begin: int
    end: int
    skip: int
    length: int


@dataclass(frozen=True)
class Seal:
    """Seals and opens the one object called `name` with its key of 32 bytes."""

    key: bytes
    name: str

    @cached_property
    def header(self) -> bytes:
        """Format and version, the id of the key (its fingerprint), the size of chunks."""
        key_id = hashlib.sha256(b"key id|" + self.key).digest()[:8]
        return _MAGIC + key_id + CHUNK.to_bytes(4)

    def close(self, plain: Iterable[bytes]) -> Iterator[bytes]:
        """Yield the sealed object of content that comes in pieces of any size."""
        yield self.header
        for index, (chunk, last) in enumerate(_blocks(plain, CHUNK)):
            yield self._cipher.encrypt(_nonce(index, last), chunk, self._place)

    def open(self, sealed: Iterable[bytes]) -> Iterator[bytes]:
        """Yield the content of a whole object; raise Damaged at the first chunk that is not as it was stored."""
        yield from self._chunks(_without(self.header, sealed), 0, None)

    def open_part(self, sealed: Iterable[bytes], span: Span, size: int) -> Iterator[bytes]:
        """Yield the bytes that `span` was made for from its part of an object whose content has `size` bytes."""
        skip, left = span.skip, span.length
        for chunk in self._chunks(sealed, span.first, _count(size) - 1):
            piece = chunk[skip : skip + left]
            skip, left = 0, left - len(piece)
            yield piece
        if left:
            raise Damaged("The object ends too early.")

    def _chunks(self, sealed: Iterable[bytes], first: int, final: int | None) -> Iterator[bytes]:
        for index, (chunk, last) in enumerate(_blocks(sealed, _SEALED), first):
            yield self._opened(chunk, index, last if final is None else index == final)

    def _opened(self, chunk: bytes, index: int, last: bool) -> bytes:
        try:
            return self._cipher.decrypt(_nonce(index, last), chunk, self._place)
        except (InvalidTag, ValueError):
            raise Damaged(f"Chunk {index} of the object is not what was stored there.") from None

    @cached_property
    def _cipher(self) -> AESGCM:
        return AESGCM(self.key)

    @cached_property
    def _place(self) -> bytes:
        return self.header + self.name.encode()


def span_of(start: int, end: int, size: int) -> Span:
    """The span of the bytes from `start` to before `end` of a content of `size` bytes (0 <= start < end <= size)."""
    first, last = start // CHUNK, (end - 1) // CHUNK
    stop = min(_HEADER + (last + 1) * _SEALED, sealed_size(size))
    return Span(first, _HEADER + first * _SEALED, stop, start - first * CHUNK, end - start)


def sealed_size(size: int) -> int:
    """How many bytes the sealed object of a content of `size` bytes has."""
    return _HEADER + size + _count(size) * TAG


def _count(size: int) -> int:
    return max(1, -(-size // CHUNK))


def _nonce(index: int, last: bool) -> bytes:
    return index.to_bytes(11) + bytes([last])


def _without(header: bytes, sealed: Iterable[bytes]) -> Iterator[bytes]:
    """Take the header off the front of a stream; raise Damaged if it is another."""
    pieces, found = iter(sealed), b""
    while len(found) < len(header) and (piece := next(pieces, b"")):
        found += piece
    if not found.startswith(header):
        raise Damaged("The object does not begin as it was stored.")
    yield found[len(header) :]
    yield from pieces


def _blocks(pieces: Iterable[bytes], size: int) -> Iterator[tuple[bytes, bool]]:
    """Cut a stream into blocks of `size`, each with whether it is the last; an empty stream is one empty block."""
    held = bytearray()
    for piece in pieces:
        held += piece
        while len(held) > size:
            yield bytes(held[:size]), False
            del held[:size]
    yield bytes(held), True
