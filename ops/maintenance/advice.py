"""What PostgreSQL's settings should be on a machine: facts in, advice out.

Rules of thumb that PostgreSQL's manual gives for a server of many short transactions (chapters Resource Consumption,
Query Planning, WAL Configuration). Only what differs by more than a tenth is worth a change.
"""

from collections.abc import Mapping
from dataclasses import dataclass

MB, GB = 1 << 20, 1 << 30
NEAR = 0.1  # what differs by less is left


@dataclass(frozen=True)
class Machine:
    """What PostgreSQL may use: bytes of memory and of free disk, cores; `sessions` is how many may be asked for.

    Of a disk that cannot be seen from here, 0 bytes are free, and nothing is advised that depends on it.
    """

    memory: int
    cores: int
    ssd: bool
    disk_free: int
    sessions: int


@dataclass(frozen=True)
class Setting:
    """A setting as it is: a number (bytes, or as it counts), how it is shown, whether a change wants a restart.

    `fixed`: it stands on the command line, which no ALTER SYSTEM changes.
    """

    name: str
    number: float
    shown: str
    restart: bool
    fixed: bool


@dataclass(frozen=True)
class Change:
    """A setting that should be another; `value` as ALTER SYSTEM takes it."""

    setting: Setting
    value: str
    why: str


WHY = {
    "shared_buffers": "a quarter of the memory",
    "effective_cache_size": "what the system also keeps of files, for the planner",
    "work_mem": "each sort of each session may take so much",
    "maintenance_work_mem": "vacuum and index builds, of which few run at a time",
    "max_connections": "the pools of all processes may ask for so many",
    "max_wal_size": "fewer checkpoints; recovery after a crash takes longer",
    "min_wal_size": "log files that are kept to be written again",
    "random_page_cost": "what a page anywhere costs beside one in a row, on this kind of disk",
    "max_parallel_workers": "one for each core",
    "max_parallel_workers_per_gather": "a large query leaves half of the cores to others",
    "max_parallel_maintenance_workers": "an index build leaves half of the cores to others",
    "autovacuum_vacuum_scale_factor": "large tables are vacuumed before a fifth of them is dead",
    "autovacuum_analyze_scale_factor": "statistics follow large tables sooner",
    "jit": "compiling pays for long queries alone; these are short",
}


def advise(machine: Machine, now: Mapping[str, Setting]) -> list[Change]:
    """The changes that are worth it."""
    sessions = max(now["max_connections"].number, machine.sessions)
    wanted = _of_memory(machine, sessions) | _of_disk(machine) | _of_cores(machine) | _of_the_load(sessions)
    return [
        Change(now[name], _written(name, number), WHY[name])
        for name, number in wanted.items()
        if abs(number - now[name].number) > NEAR * max(abs(now[name].number), 0.001)
    ]


def _of_memory(machine: Machine, sessions: float) -> dict[str, float]:
    buffers = _floor(_between(machine.memory / 4, 128 * MB, 16 * GB), 32 * MB)
    each = (machine.memory - buffers) / (3 * sessions)
    return {
        "shared_buffers": buffers,
        "effective_cache_size": _floor(machine.memory * 3 / 4, 32 * MB),
        "work_mem": _floor(_between(each, 4 * MB, 64 * MB), MB),
        "maintenance_work_mem": _floor(_between(machine.memory / 16, 64 * MB, GB), MB),
    }


def _of_disk(machine: Machine) -> dict[str, float]:
    log = _floor(_between(machine.disk_free / 20, GB, 8 * GB), GB)
    sizes: dict[str, float] = {"max_wal_size": log, "min_wal_size": log / 4} if machine.disk_free else {}
    return sizes | {"random_page_cost": 1.1 if machine.ssd else 4.0}


def _of_cores(machine: Machine) -> dict[str, float]:
    half = machine.cores // 2
    return {
        "max_parallel_workers": machine.cores,
        "max_parallel_workers_per_gather": min(4, half),
        "max_parallel_maintenance_workers": _between(half, 1, 4),
    }


def _of_the_load(sessions: float) -> dict[str, float]:
    return {
        "max_connections": sessions,
        "autovacuum_vacuum_scale_factor": 0.05,
        "autovacuum_analyze_scale_factor": 0.02,
        "jit": 0,
    }


_BYTES = frozenset(name for name in WHY if name.endswith(("_mem", "_size", "_buffers")))


def _written(name: str, number: float) -> str:
    if name == "jit":
        return "on" if number else "off"
    return f"{int(number) // MB}MB" if name in _BYTES else f"{number:g}"


def _between(number: float, least: float, most: float) -> float:
    return min(max(number, least), most)


def _floor(number: float, step: int) -> int:
    return int(number) // step * step
