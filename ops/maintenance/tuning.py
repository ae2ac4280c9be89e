"""Compares PostgreSQL's settings with what the machine allows, and changes them (ALTER SYSTEM) if asked to."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from django.conf import settings
from django.core.management.base import CommandError
from django.db import connections

from ops.monitoring.machine import CGROUP
from ops.performance.processes import reports

from .advice import MB, WHY, Change, Machine, Setting, advise
from .turn import MaintenanceFault, maintaining

_UNITS = {"B": 1, "kB": 1024, "8kB": 8192, "MB": MB}
_LOCAL = ("", "127.0.0.1", "::1", "localhost")
_OTHERS = 30  # sessions of workers, commands, backups and monitoring

_SETTINGS = """
    SELECT name, setting, unit, current_setting(name), context = 'postmaster', source = 'command line'
    FROM pg_settings WHERE name = ANY(%s)
"""


@dataclass(frozen=True)
class Plan:
    """What would be changed: at once, after a restart, and what stands on the server's command line instead."""

    machine: Machine
    changes: tuple[Change, ...]

    @property
    def possible(self) -> list[Change]:
        """Those that ALTER SYSTEM can make."""
        return [each for each in self.changes if not each.setting.fixed]

    @property
    def restart(self) -> list[str]:
        """The names of those that hold only after a restart."""
        return [each.setting.name for each in self.possible if each.setting.restart]

    @property
    def fixed(self) -> list[str]:
        """The names of those that must be changed where the server is started."""
        return [each.setting.name for each in self.changes if each.setting.fixed]

    def as_rows(self) -> list[dict[str, Any]]:
        """What is shown of it."""
        return [
            {"setting": each.setting.name, "now": each.setting.shown, "advised": each.value, "why": each.why,
             "takes": "command line" if each.setting.fixed else "restart" if each.setting.restart else "reload"}
            for each in self.changes
        ]  # fmt: skip


def plan(memory_mb: int | None = None, cores: int | None = None, disk: str = "") -> Plan:
    """Compare; what is not said is asked of this machine. Raises MaintenanceFault where it is not the database's."""
    with maintaining() as cursor:
        machine = _machine(memory_mb, cores, disk)
        return Plan(machine, tuple(advise(machine, _now(cursor))))


def apply(wanted: Plan) -> None:
    """Make the changes that ALTER SYSTEM can make, and let the server read them."""
    with maintaining() as cursor:
        for change in wanted.possible:
            cursor.execute(f"ALTER SYSTEM SET {change.setting.name} = '{change.value}'")
        cursor.execute("SELECT pg_reload_conf()")


def undo() -> None:
    """Take back whatever ALTER SYSTEM set of the settings that are tuned, so that the start's own hold again."""
    with maintaining() as cursor:
        for name in WHY:
            cursor.execute(f"ALTER SYSTEM RESET {name}")
        cursor.execute("SELECT pg_reload_conf()")


def _now(cursor: Any) -> dict[str, Setting]:
    cursor.execute(_SETTINGS, [list(WHY)])
    return {
        name: Setting(name, _number(setting, unit), shown, restart, fixed)
        for name, setting, unit, shown, restart, fixed in cursor.fetchall()
    }


def _number(setting: str, unit: str | None) -> float:
    if setting in ("on", "off"):
        return float(setting == "on")
    return float(setting) * _UNITS.get(unit or "", 1)


def _machine(memory_mb: int | None, cores: int | None, disk: str) -> Machine:
    here = str(connections["maintenance"].settings_dict["HOST"]) in _LOCAL
    if not here and not (memory_mb and cores and disk):
        raise MaintenanceFault(
            "The database runs elsewhere; say what PostgreSQL has there, such as --memory 3072 --cores 2 --disk ssd."
        )
    return Machine(
        memory=memory_mb * MB if memory_mb else _memory() // 2,  # all other servers run on this machine, too
        cores=cores or os.cpu_count() or 1,
        ssd=(disk or _disk()) == "ssd",
        disk_free=psutil.disk_usage(str(settings.DATA_DIR)).free if here and settings.DATA_DIR.exists() else 0,
        sessions=_sessions(),
    )


def _memory() -> int:
    """Bytes of this machine, or of the container's limit."""
    try:
        limit = (CGROUP / "memory.max").read_text().strip()
    except OSError:
        limit = ""
    whole = int(psutil.virtual_memory().total)
    return min(whole, int(limit)) if limit.isdigit() else whole


def _disk() -> str:
    """What kind of disk the data is on, as the kernel knows it; ssd where it does not."""
    device = settings.DATA_DIR.stat().st_dev if settings.DATA_DIR.exists() else 0
    there = Path(f"/sys/dev/block/{os.major(device)}:{os.minor(device)}")
    for folder in (there, there.resolve().parent):
        file = folder / "queue" / "rotational"
        if file.is_file():
            return "hdd" if file.read_text().strip() == "1" else "ssd"
    return "ssd"


def _sessions() -> int:
    """How many sessions the pools of the web processes may ask for, and all others."""
    pools = sum(
        each["OPTIONS"]["pool"]["max_size"] for each in settings.DATABASES.values() if "pool" in each["OPTIONS"]
    )
    return _web_processes() * pools + _OTHERS


def _web_processes() -> int:
    """As many as tell of themselves now, and not fewer than this process was told of."""
    asked_for = int(os.environ.get("HEALTHCARE_WEB_WORKERS", "2"))
    try:
        return max(asked_for, sum(each["kind"] == "web" for each in reports()))
    except CommandError:  # the cache is down
        return asked_for


def told(found: Plan, applied: bool) -> str:
    """What was or would be changed, in a sentence or three."""
    machine = found.machine
    has = f"PostgreSQL has {machine.memory // MB} MB and {machine.cores} cores here"
    if not found.changes:
        return f"{has}; its settings fit."
    number = len(found.possible)
    parts = [f"{has}; {number} settings {'were' if applied else 'would be'} changed."]
    if found.restart:
        parts.append(f"A restart of PostgreSQL is needed for {', '.join(found.restart)}.")
    if found.fixed:
        parts.append(
            f"On the server's command line (docker-compose.yml), to be changed there: {', '.join(found.fixed)}."
        )
    parts.append("`maintain tune --undo` takes them back." if applied else "`maintain tune --apply` changes them.")
    return " ".join(parts)
