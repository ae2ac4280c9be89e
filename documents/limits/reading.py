"""Read a format from the front while its bytes come in: readers are coroutines that wait for more of them."""

import zlib
from collections.abc import Callable, Generator
from typing import TypeVar

from documents.limits.bounds import damaged

T = TypeVar("T")
Reading = Generator[None, bytes, T]

_STEP = 256 * 1024  # bytes that are inflated at a time: what a bomb holds is never in memory


class Source:
    """What has come in and is not read yet; `at` is the offset of the next byte, `ended` says that no more comes."""

    def __init__(self) -> None:
        self.at, self.ended, self._held = 0, False, bytearray()

    def read(self, size: int) -> Reading[bytes]:
        """Return the next `size` bytes, fewer only at the end."""
        while len(self._held) < size and not self.ended:
            yield from self._more()
        return self._taken(size)

    def exactly(self, size: int) -> Reading[bytes]:
        """Return the next `size` bytes; raise FHIRError 422 where there are fewer."""
        got = yield from self.read(size)
        if len(got) < size:
            raise damaged("The archive is cut off, so that it cannot be looked into; send it again.")
        return got

    def some(self, most: int = _STEP) -> Reading[bytes]:
        """Return what is there, at most `most` bytes; nothing only at the end."""
        while not self._held and not self.ended:
            yield from self._more()
        return self._taken(most)

    def skip(self, size: int) -> Reading[None]:
        """Pass over `size` bytes, or to the end."""
        while size and (got := (yield from self.some(min(size, _STEP)))):
            size -= len(got)

    def back(self, data: bytes) -> None:
        """Put back what was read too much."""
        self._held[:0] = data
        self.at -= len(data)

    def _more(self) -> Reading[None]:
        piece = yield
        self._held += piece
        self.ended = not piece

    def _taken(self, size: int) -> bytes:
        got = bytes(self._held[:size])
        del self._held[:size]
        self.at += len(got)
        return got


class Walk:
    """A reader at work: feed it pieces, then an empty one as the end."""

    def __init__(self, reader: Reading[None]) -> None:
        self._reader, self._done = reader, False
        self._resume(lambda: next(reader))

    def feed(self, piece: bytes) -> None:
        """Let it read on; what comes after its end is not looked at."""
        if not self._done:
            self._resume(lambda: self._reader.send(piece))

    def _resume(self, step: Callable[[], None]) -> None:
        try:
            step()
        except StopIteration:
            self._done = True


def inflate(source: Source, decoder: "zlib._Decompress", sink: Callable[[bytes], None]) -> Reading[None]:
    """Give what a deflate stream holds to `sink`, in small pieces; the source then stands behind the stream.

    Raises zlib.error for what is none, and EOFError where it is cut off.
    """
    while not decoder.eof:
        piece = decoder.unconsumed_tail or (yield from source.some())
        out = decoder.decompress(piece, _STEP)
        if out:
            sink(out)
        elif not piece and not decoder.eof:
            raise EOFError
    source.back(decoder.unused_data)
