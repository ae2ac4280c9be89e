"""What grows in a process: where the memory was allocated that was not there when tracing began (tracemalloc).

Off, it costs nothing. On, it costs time at each allocation, so that it ends by itself. Places are files and lines of
programs; no content of memory is ever looked at.
"""

import sysconfig
import time
import tracemalloc
from typing import Any

from healthrecords.embedded.datadir import CHECKOUT

LONGEST = 600  # seconds that tracing goes on when nobody ends it
_SHOWN = 15
_FILTERS = (tracemalloc.Filter(False, tracemalloc.__file__), tracemalloc.Filter(False, __file__))
_ROOTS = (*{sysconfig.get_paths()[name] for name in ("purelib", "platlib", "stdlib")}, str(CHECKOUT))


class Tracing:
    """The tracing of this process."""

    def __init__(self) -> None:
        self._begin: tracemalloc.Snapshot | None = None
        self._until = 0.0

    def start(self, seconds: float) -> None:
        """Begin, for at most so many seconds longer than asked for."""
        tracemalloc.start()
        self._begin, self._until = tracemalloc.take_snapshot(), time.monotonic() + min(seconds, LONGEST) + 60

    def stop(self) -> list[dict[str, Any]]:
        """End, and return what grew most since `start`: `where`, `kb`, `blocks`."""
        if self._begin is None:
            return []
        now = tracemalloc.take_snapshot().filter_traces(_FILTERS)
        grown = now.compare_to(self._begin.filter_traces(_FILTERS), "lineno")
        tracemalloc.stop()
        self._begin = None
        return [
            {"where": _place(each), "kb": round(each.size_diff / 1024, 1), "blocks": each.count_diff}
            for each in grown[:_SHOWN]
            if each.size_diff > 0
        ]

    def end_forgotten(self) -> None:
        """End a tracing that nobody came back for."""
        if self._begin is not None and time.monotonic() > self._until:
            self.stop()


def _place(found: tracemalloc.StatisticDiff) -> str:
    """File and line, without where this machine keeps its files."""
    frame = found.traceback[0]
    name = frame.filename
    for root in sorted(_ROOTS, key=len, reverse=True):
        name = name.removeprefix(f"{root}/")
    return f"{name}:{frame.lineno}"
