"""What a killed supervisor left behind: children on their way out, and lock files of processes that are gone."""

import os
import signal
from contextlib import suppress
from pathlib import Path

import psutil

_PATIENCE = 20.0  # seconds that PostgreSQL has to shut down
_LESS = 3.0  # seconds that the others have: their stores are gone, so that some would wait for them


def end_leftovers(records: Path) -> None:
    """Wait for the children recorded in `records` to end, then kill those that did not; forget them all.

    Called while the data directory is locked, so that no other supervisor owns them.
    """
    found = [process for file in records.glob("*.pid") if (process := recorded(file))]
    databases = [process for process in found if _is_postgres(process.pid)]
    for processes, number, patience in (
        ([process for process in found if process not in databases], signal.SIGTERM, _LESS),
        (databases, signal.SIGINT, _PATIENCE),
    ):
        _end(processes, number, patience)
    for pattern in ("*.pid", "*.restarts"):
        for file in records.glob(pattern):
            file.unlink()


def _end(processes: list[psutil.Process], number: int, patience: float) -> None:
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(number)
    for process in psutil.wait_procs(processes, timeout=patience)[1]:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    psutil.wait_procs(processes, timeout=patience)


def recorded(file: Path) -> psutil.Process | None:
    """Return the process that `file` names if it is still the same one: the kernel gives process ids out again."""
    try:
        pid, created = file.read_text().split()
        process = psutil.Process(int(pid))
        return process if abs(process.create_time() - float(created)) < 0.1 else None
    except (ValueError, psutil.Error):
        return None


def remove_stale_pid_file(cluster: Path) -> bool:
    """Remove `postmaster.pid` unless a postgres really runs there; tell whether one does.

    PostgreSQL alone cannot tell: after a crash the id in the file may belong to any other process.
    """
    file = cluster / "postmaster.pid"
    if not file.exists():
        return False
    try:
        if _is_postgres(int(file.read_text().split("\n", 1)[0])):
            return True
    except ValueError:
        pass  # cut off while it was written
    file.unlink()
    return False


def _is_postgres(pid: int) -> bool:
    try:
        process = psutil.Process(pid)
        return process.status() != psutil.STATUS_ZOMBIE and "postgres" in process.name()
    except psutil.Error:
        return False
