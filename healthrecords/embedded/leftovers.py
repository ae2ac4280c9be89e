"""What a killed supervisor left behind: children on their way out, and lock files of processes that are gone."""

import os
import signal
from pathlib import Path

import psutil

_PATIENCE = 20.0  # seconds that children have to follow their parent before they are killed


def end_leftovers(records: Path) -> None:
    """Wait for the children recorded in `records` to end, then kill those that did not; forget them all.

    Called while the data directory is locked, so that no other supervisor owns them.
    """
    found = [process for file in records.glob("*.pid") if (process := _recorded(file))]
    for process in found:
        process.send_signal(signal.SIGINT if process.name() == "postgres" else signal.SIGTERM)
    for process in psutil.wait_procs(found, timeout=_PATIENCE)[1]:
        os.killpg(process.pid, signal.SIGKILL)
    for file in records.glob("*.pid"):
        file.unlink()


def _recorded(file: Path) -> psutil.Process | None:
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
