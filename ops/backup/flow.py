"""Bytes on the way: a writer in a thread joined to a reader, and a reader that measures what passes."""

import fcntl
import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Thread
from typing import BinaryIO, Protocol

CHUNK = 1024 * 1024  # bytes
_SET_PIPE_SIZE = 1031  # F_SETPIPE_SZ of Linux


class Readable(Protocol):
    """All that is asked of a source of bytes: `read` returns at most `size` bytes, none at the end."""

    def read(self, size: int = -1, /) -> bytes: ...


class Measured:
    """Passes a source on and knows afterwards how many bytes it had and their SHA-256."""

    def __init__(self, source: Readable, advance: Callable[[float], None] = lambda _: None) -> None:
        self._source, self._advance, self._digest, self.size = source, advance, hashlib.sha256(), 0
        self.fault: BaseException | None = None

    def read(self, size: int = -1, /) -> bytes:
        """Return the next bytes of the source."""
        try:
            data = self._source.read(size)
        except BaseException as fault:
            self.fault = fault  # age's reader would tell it as an error of its own
            raise
        self._digest.update(data)
        self.size += len(data)
        self._advance(len(data))
        return data

    @property
    def sha256(self) -> str:
        """The hash of what was read so far, in hex digits."""
        return self._digest.hexdigest()


class _Joined:
    """The reading end. Where the writer failed, reading the end raises its fault: a cut stream never looks whole."""

    def __init__(self, source: BinaryIO, thread: Thread, faults: list[BaseException]) -> None:
        self._source, self._thread, self._faults = source, thread, faults

    def read(self, size: int = -1, /) -> bytes:
        data = self._source.read(size)
        if size != 0 and (not data or size < 0):
            self._thread.join()
            if self._faults:
                raise self._faults[0]
        return data


@contextmanager
def joined(write: Callable[[BinaryIO], None]) -> Iterator[Readable]:
    """Run `write(sink)` in a thread and yield the source of what it writes."""
    reading, writing = os.pipe()
    _widen(writing)
    faults: list[BaseException] = []

    def run() -> None:
        try:
            with os.fdopen(writing, "wb", CHUNK) as sink:
                write(sink)
        except BaseException as fault:  # told to the reader
            faults.append(fault)

    thread = Thread(target=run, daemon=True)
    thread.start()
    try:
        with os.fdopen(reading, "rb", CHUNK) as source:
            yield _Joined(source, thread, faults)
    finally:
        thread.join()


def _widen(end: int) -> None:
    with suppress(OSError):  # a limit of the system: slower, not wrong
        fcntl.fcntl(end, _SET_PIPE_SIZE, CHUNK)


def drain(source: Readable) -> None:
    """Read to the end, so that what checks itself at the end does."""
    while source.read(CHUNK):
        pass
