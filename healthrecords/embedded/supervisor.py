"""Starts children in order, watches them, and stops them in the opposite order."""

import time
from collections.abc import Callable, Iterable
from typing import NoReturn

from .faults import CannotStart, ServerFailed
from .home import EXHAUSTED, Home
from .process import Child, Program, last_line, refusal, rotate, spawn
from .restarts import Restart, after_crash, count_in
from .signals import StopSignal

_TURN = 0.25  # seconds between two looks at the children
_ROTATE = 60.0  # seconds between two looks at the logs


class Supervisor:
    """The children of one data directory. A store that ends ends everything; an application process comes back."""

    def __init__(self, home: Home, stop: StopSignal, say: Callable[[str], None]) -> None:
        self.home, self.signal, self.say = home, stop, say
        self.stores: list[Child] = []
        self.processes: list[Child] = []
        self._step: Child | None = None
        self._restarts: dict[str, Restart] = {}
        self._rotated = time.monotonic()

    def start_stores(self, programs: Iterable[Program]) -> None:
        """Start the stores; they get ready side by side."""
        for program in programs:
            self.stores.append(self._spawn(program))

    def start_process(self, program: Program) -> None:
        """Start one process of the application."""
        self.processes.append(self._spawn(program))

    def wait_for(self, name: str, ready: Callable[[], bool], seconds: float) -> None:
        """Wait until `ready` says so; raise ServerFailed when a child ends before that, or when it takes too long."""
        deadline = time.monotonic() + seconds
        while not ready():
            self._refuse_ended(self.stores + self.processes)
            self._refuse_full_disk()
            if time.monotonic() > deadline:
                raise ServerFailed(f"{name} was not ready after {seconds:.0f} seconds; {self.home.logs} says why.")
            self.signal.pause(0.05)

    def step(self, program: Program) -> str:
        """Run a program to its end and return what it printed; raise ServerFailed if it failed."""
        self._step = child = self._spawn(program)
        start = child.log.stat().st_size
        while child.alive:
            self._refuse_ended(self.stores)
            self._refuse_full_disk()
            self.signal.pause(0.05)
        self._step = None
        if child.popen.returncode:
            raise ServerFailed(f"{self._ended(child)}: {last_line(child.log)}")
        return child.log.read_bytes()[start:].decode(errors="replace")

    def watch(self) -> NoReturn:
        """Keep everything running; raise StopRequested or, when a store ends, ServerFailed."""
        while True:
            self._refuse_ended(self.stores)
            self.processes = [child if child.alive else self._revive(child) for child in self.processes]
            self._rotate_logs()
            self.signal.pause(_TURN)

    def stop(self, hurry: bool = False) -> None:
        """Stop everything, last started first; the stores go last. In a hurry nobody gets time to finish."""
        steps = [self._step] if self._step else []
        for child in reversed(self.stores + self.processes + steps):
            child.stop(lambda: hurry or self.signal.hurry)
            for kind in ("pid", "restarts"):
                (self.home.records / f"{child.name}.{kind}").unlink(missing_ok=True)
        self.stores, self.processes, self._step = [], [], None

    def _spawn(self, program: Program) -> Child:
        return spawn(program, self.home.logs, self.home.records)

    def _revive(self, child: Child) -> Child:
        """Note a crash when it is first seen; start the process again when its time has come."""
        now, restart = time.monotonic(), self._restarts.get(child.name)
        if restart is None or restart.due < child.started:
            child.sweep()
            restart = self._restarts[child.name] = after_crash(restart, now - child.started, now)
            self.say(f"{self._ended(child)}; it starts again in {restart.wait:g} s.")
        if now < restart.due:
            return child
        count_in(self.home.records, child.name)
        return self._spawn(child.program)

    def _refuse_ended(self, children: list[Child]) -> None:
        for child in children:
            if not child.alive:
                raise ServerFailed(refusal(child.log) or f"{self._ended(child)}.")

    def _refuse_full_disk(self) -> None:
        """End a start that would otherwise wait for a server that cannot write."""
        if self.home.free() < EXHAUSTED:
            raise CannotStart(self.home.full_disk())

    def _ended(self, child: Child) -> str:
        if self.home.free() < EXHAUSTED:
            return f"{child.name} ended because the disk of {self.home.root} is full"
        return f"{child.name} ended with {child.ending()} ({child.log} says more)"

    def _rotate_logs(self) -> None:
        if time.monotonic() - self._rotated > _ROTATE:
            self._rotated = time.monotonic()
            for log in self.home.logs.glob("*.log"):
                if not log.name.endswith(".1.log"):
                    rotate(log)
