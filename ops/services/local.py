"""The processes of an embedded start, by the records of its supervisor. Needs no store: it works while all are down."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
from django.core.management.base import CommandError

from healthrecords.embedded.leftovers import recorded
from healthrecords.embedded.restarts import counted_in
from healthrecords.redaction import scrub

SUPERVISED = ("postgres", "valkey", "seaweedfs", "gunicorn", "worker", "worker-long", "beat", "receiver")
LONGEST = 512 * 1024  # bytes of a log that are looked at


@dataclass(frozen=True)
class Service:
    """One process with its children; `memory` in bytes, `since` UTC. `state` is running, restarting or stopped."""

    service: str
    state: str
    pid: int | None = None
    since: datetime | None = None
    restarts: int = 0
    memory: int | None = None

    def as_row(self) -> dict[str, Any]:
        """For a table and for JSON."""
        row = asdict(self)
        row["memory"] = None if self.memory is None else f"{self.memory >> 20} MB"
        return row


def services(home: Path) -> list[Service]:
    """Every process that a start runs, as it is now."""
    records = home / "run"
    return [_service(records, name) for name in SUPERVISED]


def _service(records: Path, name: str) -> Service:
    file, restarts = records / f"{name}.pid", counted_in(records, name)
    process = recorded(file) if file.is_file() else None
    if process is None:
        return Service(name, "restarting" if file.is_file() else "stopped", restarts=restarts)
    with suppress(psutil.Error):
        if process.status() == psutil.STATUS_ZOMBIE:
            return Service(name, "restarting", restarts=restarts)
        since = datetime.fromtimestamp(process.create_time(), UTC)
        return Service(name, "running", process.pid, since, restarts, _memory(process))
    return Service(name, "restarting", restarts=restarts)


def _memory(process: psutil.Process) -> int:
    """Of the whole family; pages that it shares are counted once for each (RSS)."""
    return sum(_resident(each) for each in (process, *process.children(recursive=True)))


def _resident(process: psutil.Process) -> int:
    with suppress(psutil.Error):
        return int(process.memory_info().rss)
    return 0


def log(home: Path, name: str, tail: int) -> list[str]:
    """The last lines of a service's log, and of the one that was rotated away where that is too short.

    Raises CommandError for a name that has no log. What PostgreSQL prints of a row is cut out once more.
    """
    known = sorted(path.stem for path in (home / "logs").glob("*.log") if not path.stem.endswith(".1"))
    if name not in known:
        raise CommandError(f"There is no log of {name}; there are {', '.join(known) or 'none'}.")
    lines = [line for path in _parts(home / "logs", name) for line in _last(path)]
    return [scrub(line) for line in lines[-tail:]]


def _parts(logs: Path, name: str) -> Iterator[Path]:
    """The older part first."""
    yield from (path for path in (logs / f"{name}.1.log", logs / f"{name}.log") if path.is_file())


def _last(path: Path) -> list[str]:
    with path.open("rb") as file:
        file.seek(max(path.stat().st_size - LONGEST, 0))
        return file.read().decode(errors="replace").splitlines()
