"""When a crashed process of the application is started again: a decision, apart from the doing."""

from dataclasses import dataclass
from pathlib import Path

_FIRST, _LONGEST = 0.5, 30.0  # seconds
_STABLE = 60.0  # seconds of life after which earlier crashes are forgotten


@dataclass(frozen=True)
class Restart:
    """How often a process crashed in a row, and when it is due again (monotonic seconds)."""

    crashes: int
    due: float

    @property
    def wait(self) -> float:
        """Seconds that this crash costs: half a second, doubled with each crash in a row, thirty at most."""
        return min(_LONGEST, _FIRST * 2 ** (self.crashes - 1))


def after_crash(before: Restart | None, lived: float, now: float) -> Restart:
    """Decide on the restart of a process that crashed at `now` after `lived` seconds."""
    crashes = 1 if before is None or lived >= _STABLE else before.crashes + 1
    restart = Restart(crashes, now)
    return Restart(crashes, now + restart.wait)


def count_in(records: Path, name: str) -> None:
    """Count one more restart of a process since the start, beside its process id."""
    (records / f"{name}.restarts").write_text(str(counted_in(records, name) + 1))


def counted_in(records: Path, name: str) -> int:
    """How often a process came back since the start."""
    try:
        return int((records / f"{name}.restarts").read_text())
    except (OSError, ValueError):
        return 0
