"""The machine: its disk, its memory, its clock against the database's."""

import shutil
from pathlib import Path

import psutil
from django.conf import settings
from django.utils import timezone

from healthrecords.settings.environment import DATA_DIR

from .login import connected
from .registry import Problem, check

LEAST_SPACE = 0.1  # share of the disk
LEAST_MEMORY = 0.05  # share of the machine's
MOST_SKEW = 2.0  # seconds


@check("disk", "host", limit=3, next_step="Make room or enlarge the disk; what grows is told by `services status`.")
def disk() -> str:
    """Look at the disks of the data directory and of the backups."""
    told = []
    for folder in _folders():
        found = shutil.disk_usage(folder)
        told.append(f"{found.free >> 30} of {found.total >> 30} GB are free in {folder}")
        if found.free < LEAST_SPACE * found.total:
            raise Problem(f"Only {told[-1]}.")
    return f"{'; '.join(told) or 'There is no data directory here'}."


def _folders() -> list[Path]:
    """Those that are here, one for each disk."""
    here = [path for path in (DATA_DIR, settings.BACKUP_WORK_DIR) if path.is_dir()]
    return list({path.stat().st_dev: path for path in reversed(here)}.values())


@check("memory", "host", limit=3, next_step="`performance resources` tells what takes the memory.")
def memory() -> str:
    """Whether there is memory left."""
    found = psutil.virtual_memory()
    told = f"{found.available >> 20} of {found.total >> 20} MB of memory are available"
    if found.available < LEAST_MEMORY * found.total:
        raise Problem(f"Only {told}.")
    return f"{told}."


@check("clock", "host", limit=5, needs="database", next_step="Have both hosts set their clocks (NTP, chrony).")
def clock() -> str:
    """Compare the clocks: tokens, codes and seals depend on them."""
    with connected() as connection:
        before = timezone.now()
        (theirs,) = connection.execute("SELECT clock_timestamp()").fetchone()  # type: ignore[misc]
    apart = abs((theirs - before).total_seconds())
    if apart > MOST_SKEW:
        raise Problem(f"The clocks of this host and of the database are {apart:.1f} s apart.")
    return "The clocks of this host and of the database agree."
