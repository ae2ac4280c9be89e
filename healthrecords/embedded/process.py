"""A child process: started in its own session, with a log file, ended with its parent."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

LOG_LIMIT = 10 * 1024 * 1024  # bytes; one older copy is kept beside it
_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True)
class Account:
    """Whom a child runs as, when that is not us."""

    uid: int
    gid: int


@dataclass(frozen=True)
class Program:
    """What to run and how to end it. `patience` is how many seconds it has to end before it is killed."""

    name: str
    argv: tuple[str, ...]
    environment: Mapping[str, str]
    folder: Path
    account: Account | None = None
    stop_signal: int = signal.SIGTERM
    hurry_signal: int = signal.SIGKILL
    patience: float = 30.0


@dataclass
class Child:
    """A running program."""

    program: Program
    popen: "subprocess.Popen[bytes]"
    log: Path
    started: float = field(default_factory=time.monotonic)

    @property
    def name(self) -> str:
        """The program's name, as messages and log files use it."""
        return self.program.name

    @property
    def alive(self) -> bool:
        """Whether it still runs."""
        return self.popen.poll() is None

    def ending(self) -> str:
        """Say how it ended: `exit code 3`, `signal 9`."""
        code = self.popen.poll()
        return f"signal {-code}" if code is not None and code < 0 else f"exit code {code}"

    def stop(self, hurry: Callable[[], bool] = lambda: False) -> None:
        """End it and whatever is left of its session; return when it is gone."""
        self._signal(self.program.stop_signal)
        deadline, hurried = time.monotonic() + self.program.patience, False
        while self.alive and time.monotonic() < deadline:
            if hurry() and not hurried:
                hurried = True
                self._signal(self.program.hurry_signal)
                deadline = time.monotonic() + 5
            time.sleep(0.02)
        self.sweep()

    def sweep(self) -> None:
        """Kill what is left of its session, so that no grandchild outlives it."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.popen.pid, signal.SIGKILL)
        self.popen.wait()

    def _signal(self, number: int) -> None:
        if self.alive:
            self.popen.send_signal(number)


def spawn(program: Program, logs: Path, records: Path) -> Child:
    """Start `program`; its output goes to `logs`, its process id to `records` (see leftovers.py).

    Call it from the main thread: the parent-death signal is bound to the thread that starts a child.
    """
    log = logs / f"{program.name}.log"
    rotate(log)
    with log.open("ab") as output:
        popen = subprocess.Popen(
            program.argv,
            env=dict(program.environment),
            cwd=program.folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=die_with_parent(program.stop_signal),  # noqa: PLW1509 (the supervisor has no threads)
            user=program.account.uid if program.account else None,
            group=program.account.gid if program.account else None,
            extra_groups=[] if program.account else None,
        )
    (records / f"{program.name}.pid").write_text(f"{popen.pid} {psutil.Process(popen.pid).create_time()}")
    return Child(program, popen, log)


def die_with_parent(number: int) -> Callable[[], None] | None:
    """Return what a new child calls so that the kernel sends it `number` when we die; None where that is unknown."""
    if not sys.platform.startswith("linux"):
        return None
    parent, prctl = os.getpid(), ctypes.CDLL(None).prctl

    def bind() -> None:
        prctl(_PR_SET_PDEATHSIG, number)
        if os.getppid() != parent:  # we died before the call
            os._exit(1)

    return bind


def rotate(log: Path) -> None:
    """Move a log that is too long aside. It is copied and cut, since its writer holds it open for appending."""
    if log.is_file() and log.stat().st_size > LOG_LIMIT:
        log.with_suffix(".1.log").write_bytes(log.read_bytes())
        os.truncate(log, 0)


def last_line(log: Path) -> str:
    """Return the last line of a log that says something, for a message."""
    lines = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()]
    return lines[-1][:300] if lines else "it said nothing"


def refusal(log: Path) -> str:
    """Return why a process of the application refused to start, by the last lines of its log, or an empty text."""
    lines = [line.strip() for line in log.read_text(errors="replace").splitlines()[-20:]]
    return next((line for line in reversed(lines) if line.startswith("Cannot start: ")), "")
