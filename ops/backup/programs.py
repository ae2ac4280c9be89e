"""Runs PostgreSQL's own programs: their faults become one sentence, their children end with us."""

import re
import signal
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

from healthrecords.embedded.faults import CannotStart
from healthrecords.embedded.postgres import major, programs
from healthrecords.embedded.process import die_with_parent

from .faults import BackupFault, DiskFull
from .server import DatabaseDown, told

_NO_ROOM = ("No space left on device", "File too large", "Disk quota exceeded")
_CONNECTION = ("connection to server", "could not connect", "server closed the connection", "authentication failed")


def program(name: str) -> str:
    """The path of a PostgreSQL program; raise BackupFault where this system has none."""
    try:
        path = programs(None, None) / name
    except CannotStart as fault:
        raise BackupFault(str(fault)) from None
    if not path.is_file():
        raise BackupFault(f"{path.parent} holds no {name}; name a whole PostgreSQL with HEALTHCARE_POSTGRES_BIN.")
    return str(path)


def client_major() -> int:
    """The major version of these programs."""
    return int(major(Path(program("pg_basebackup"))))


def run(
    name: str,
    *arguments: str,
    environment: Mapping[str, str] | None = None,
    watch: Callable[[], None] = lambda: None,
) -> str:
    """Run a program to its end and return what it printed; raise BackupFault with the reason it gave."""
    child = subprocess.Popen(
        [program(name), *arguments],
        env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC", **(environment or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        preexec_fn=die_with_parent(signal.SIGKILL),  # noqa: PLW1509
    )
    try:
        output = _output(child, watch)
    except BaseException:
        child.kill()
        child.communicate()
        raise
    if child.returncode:
        raise explained(name, output + (_NO_ROOM[0] if child.returncode == -signal.SIGXFSZ else ""))
    return output


def _output(child: "subprocess.Popen[str]", watch: Callable[[], None]) -> str:
    while True:
        try:
            return child.communicate(timeout=0.2)[0]
        except subprocess.TimeoutExpired:
            watch()


def explained(name: str, output: str) -> BackupFault:
    """What a program that failed meant."""
    if any(words in output for words in _NO_ROOM):
        return DiskFull("The disk of the working directory is full; make room, or name another disk.")
    if any(words in output for words in _CONNECTION):
        return DatabaseDown(told(output))
    lines = [re.sub(r"^\S*pg_\w+: ", "", line.strip()) for line in output.splitlines() if line.strip()]
    reasons = [line for line in lines if line.startswith(("error:", "fatal:", "FATAL:"))] or lines[-1:]
    return BackupFault(f"{name} failed: {reasons[0].removeprefix('error: ') if reasons else 'it said nothing'}.")
