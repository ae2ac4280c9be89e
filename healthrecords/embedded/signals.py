"""INT and TERM as facts that the supervisor looks at when it is ready to."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from .faults import StopRequested

_WANTED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# A signal to the whole group reaches us twice when make passes its own on; that is not impatience.
_SAME = 2.0  # seconds


class StopSignal:
    """Remembers that a stop was asked for, and whether it was asked for again."""

    def __init__(self, watch: Callable[[], bool] = lambda: False) -> None:
        self.first: float | None = None
        self.hurry = False
        self._watch = watch

    def receive(self, number: int = 0, frame: FrameType | None = None) -> None:
        """Note one signal; a second one, at least two seconds after the first, means hurry."""
        now = time.monotonic()
        self.hurry = self.hurry or (self.first is not None and now - self.first > _SAME)
        self.first = self.first or now

    @property
    def requested(self) -> bool:
        """Whether a stop was asked for, by a signal to us or to the make that started us."""
        if self.first is None and self._watch():
            self.receive()
        return self.first is not None

    def pause(self, seconds: float) -> None:
        """Sleep; raise StopRequested as soon as a stop is asked for."""
        until = time.monotonic() + seconds
        while not self.requested and time.monotonic() < until:
            time.sleep(min(0.05, seconds))
        if self.requested:
            raise StopRequested

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Take the signals over for a block."""
        before = {number: signal.signal(number, self.receive) for number in _WANTED}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


class MakeWatch:
    """Tells whether the make that started us was asked to stop: it passes TERM on to us, but not INT.

    make blocks INT while it waits for us to end, which Linux shows in /proc. Elsewhere, and for any other parent,
    the answer is no; a terminal sends INT to everyone anyway.
    """

    def __init__(self) -> None:
        self._parent = os.getppid()
        self._is_make = _read(f"/proc/{self._parent}/comm").strip() in ("make", "gmake")

    def __call__(self) -> bool:
        """Whether make got INT, or is gone."""
        return self._is_make and (os.getppid() != self._parent or self._blocks_interrupt())

    def _blocks_interrupt(self) -> bool:
        lines = _read(f"/proc/{self._parent}/status").splitlines()
        masks = [int(line.split()[1], 16) for line in lines if line.startswith("SigBlk:")]
        return any(mask >> (signal.SIGINT - 1) & 1 for mask in masks)


def _read(path: str) -> str:
    try:
        return Path(path).read_text()
    except OSError:
        return ""
