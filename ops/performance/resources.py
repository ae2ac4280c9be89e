"""What the machine and our programs use: processor, memory, disks; per program, the largest first."""

import os
import time
from pathlib import Path
from typing import Any

import psutil
from django.conf import settings

_SHOWN = 20  # programs
# The runbook's figures: percent of processor, memory, disk.
TARGETS = {"processor": 60.0, "memory": 70.0, "disk": 75.0}


def machine(seconds: float = 1.0) -> list[dict[str, Any]]:
    """A row for the processor (over some seconds), memory, swap and each disk that we write to, with its target."""
    busy, memory, swap = psutil.cpu_percent(seconds), psutil.virtual_memory(), psutil.swap_memory()
    rows = [
        _row("processor", busy, f"{psutil.cpu_count()} cores, load {os.getloadavg()[0]:.1f}", TARGETS["processor"]),
        _row(
            "memory", memory.percent, f"{memory.available >> 20} MB of {memory.total >> 20} MB left", TARGETS["memory"]
        ),
        _row("swap", swap.percent, f"{swap.used >> 20} MB of {swap.total >> 20} MB", None),
    ]
    for name, folder in _disks().items():
        disk = psutil.disk_usage(str(folder))
        rows.append(_row(f"disk of {name}", disk.percent, f"{disk.free >> 20} MB free", TARGETS["disk"]))
    return rows


def _row(name: str, percent: float, words: str, target: float | None) -> dict[str, Any]:
    return {"resource": name, "percent": percent, "state": words, "target": target}


def _disks() -> dict[str, Path]:
    """The disks below what we write to; two on one disk are one."""
    known: dict[int, tuple[str, Path]] = {}
    for name, folder in (("data", settings.DATA_DIR), ("backups", settings.BACKUP_WORK_DIR)):
        there = next(each for each in (folder, *folder.parents) if each.exists())
        known.setdefault(there.stat().st_dev, (name, there))
    return dict(known.values())


def programs(seconds: float = 0.5) -> list[dict[str, Any]]:
    """What runs here, the largest first: with `make run` its programs with their children, else every process.

    Bytes are each one's share of memory (PSS); processor percent is of one core, over some seconds.
    """
    found = {name: [root, *(_asked(root.children, True) or [])] for name, root in _roots().items()}
    for each in (process for family in found.values() for process in family):
        _asked(each.cpu_percent, None)
    time.sleep(seconds)
    rows = sorted((_told(name, family) for name, family in found.items()), key=lambda row: -row["bytes"])
    return [row for row in rows if row["bytes"]][:_SHOWN]


def _roots() -> dict[str, psutil.Process]:
    """The programs by their names: those that `make run` started (its records), else every process."""
    kept = {file.stem: file.read_text().split()[0] for file in (settings.DATA_DIR / "run").glob("*.pid")}
    if not kept:
        return {f"{_asked(each.name)} {each.pid}": each for each in psutil.process_iter()}
    known = {name: _asked(psutil.Process, int(pid)) for name, pid in kept.items()}
    return {name: process for name, process in known.items() if process}


def _told(name: str, family: list[psutil.Process]) -> dict[str, Any]:
    return {
        "program": name, "pid": family[0].pid, "processes": len(family), "bytes": sum(map(_share, family)),
        "processor": round(sum(_asked(each.cpu_percent, None) or 0.0 for each in family), 1),
        "hours": round((time.time() - (_asked(family[0].create_time) or time.time())) / 3600, 1),
    }  # fmt: skip


def _share(process: psutil.Process) -> int:
    told = _asked(process.memory_full_info) or _asked(process.memory_info)
    return int(getattr(told, "pss", 0) or getattr(told, "rss", 0))


def _asked(question: Any, *arguments: Any) -> Any:
    """The answer of a process, or None where it ended meanwhile or is another account's."""
    try:
        return question(*arguments)
    except psutil.Error:
        return None
