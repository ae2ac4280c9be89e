"""`make run`: from an empty directory to a served page, and back to nothing running."""

import os
import sys
from pathlib import Path
from typing import NoReturn

from . import application
from .datadir import data_dir
from .faults import CannotStart, ServerFailed, StopRequested
from .home import EXHAUSTED, Home, write_private
from .leftovers import end_leftovers
from .ports import refuse_taken, web_port
from .postgres import SYNCHRONOUS
from .signals import MakeWatch, StopSignal
from .stores import Stores, write_server_env
from .supervisor import Supervisor

_RECOVERY = 600.0  # seconds that PostgreSQL may take to recover after a crash
_PATIENCE = 120.0  # seconds for anything else


def say(text: str) -> None:
    """Print a line at once, also into a file."""
    print(text, flush=True)  # noqa: T201


def run() -> int:
    """Serve until a stop is asked for; return the exit code: 0 stopped, 1 a server failed, 2 could not start."""
    os.umask(0o077)
    home = Home(data_dir())
    try:
        port = web_port(os.environ.get("HEALTHCARE_PORT") or "8000")
        home.prepare()
        home.refuse_unreachable()
        with home.locked():
            refuse_taken(port)
            home.refuse_full_disk()
            end_leftovers(home.records)
            return _serve(home, port)
    except (CannotStart, OSError) as fault:
        return _explain(home, fault)


def _serve(home: Home, port: int) -> int:
    """Start, serve, stop; a failure is told before the stop, which may take a while."""
    stop = StopSignal(MakeWatch())
    supervisor = Supervisor(home, stop, say)
    with stop.listening():
        try:
            Server(home, port, supervisor).serve()
        except StopRequested:
            say("Stopping")
            return 0
        except (CannotStart, ServerFailed, OSError) as fault:
            return _explain(home, fault)
        finally:
            supervisor.stop()


def _explain(home: Home, fault: Exception) -> int:
    """Print the sentence about a failure and return its exit code; where the disk is full, that is the reason."""
    full = not isinstance(fault, CannotStart) and home.root.is_dir() and home.free() < EXHAUSTED
    print(home.full_disk() if full else fault, file=sys.stderr, flush=True)  # noqa: T201
    return 1 if isinstance(fault, ServerFailed) and not full else 2


class Server:
    """One run on a data directory, step by step."""

    def __init__(self, home: Home, port: int, supervisor: Supervisor) -> None:
        self.home, self.port, self.supervisor = home, port, supervisor
        self.variables: dict[str, str] = {}
        self.synchronous = os.environ.get("HEALTHCARE_BACKUP_SYNCHRONOUS") == "1"

    def serve(self) -> NoReturn:
        """Start everything and serve; raise StopRequested when a stop is asked for, ServerFailed when a store ends."""
        say(f"Starting in {self.home.root}")
        self._start_stores()
        if self.synchronous:
            self.supervisor.start_process(application.receiver(self.variables))
        self._prepare()
        self._start_application()
        self._greet()
        self.supervisor.watch()

    def _start_stores(self) -> None:
        stores = Stores(self.home, SYNCHRONOUS if self.synchronous else {})
        self.backups = stores.backups
        self.supervisor.start_stores(stores.prepare())
        self.supervisor.wait_for("PostgreSQL", stores.postgres.ready, _RECOVERY)
        stores.postgres.apply_roles()
        self.supervisor.wait_for("Valkey", stores.valkey.ready, _PATIENCE)
        self.supervisor.wait_for("SeaweedFS", stores.seaweedfs.ready, _PATIENCE)
        found = stores.environment(self.port)
        write_server_env(self.home, found)
        self.variables = application.environment(found)

    def _prepare(self) -> None:
        """Bring the tables and the static files up to date; on a first run, load the demo data."""
        self._manage("migrate", "--database", "owner", "--noinput")
        fingerprint, stamp = application.static_fingerprint(), self.home / "static.sha256"
        if not stamp.is_file() or stamp.read_text() != fingerprint:
            self._manage("collectstatic", "--noinput")
            write_private(stamp, fingerprint)
        if not self._first_run.is_file():
            kind = "plain" if os.environ.get("HEALTHCARE_DEMO") == "0" else "demo"
            if kind == "demo":
                say("First run: loading demo data (HEALTHCARE_DEMO=0 for none)")
                self._manage("records", "demo")
            write_private(self._first_run, kind)

    def _start_application(self) -> None:
        for program in application.processes(self.home, self.port, self.variables):
            self.supervisor.start_process(program)
        self.supervisor.wait_for("The web server", lambda: application.healthy(self.port), _PATIENCE)
        if not self.synchronous:
            self.supervisor.start_process(application.receiver(self.variables))

    def _greet(self) -> None:
        """Say where the server is, who may sign in first, and how to stop."""
        url = f"http://127.0.0.1:{self.port}"
        say(f"Ready: {url}")
        demo = ("--demo",) if self._first_run.read_text() == "demo" else ()
        for link in (line for line in self._manage("users", "first", *demo).splitlines() if line.startswith(url)):
            say(f"Sign in for the first time (the link works once): {link}")
        (self.home.logs / "users.log").unlink()  # the link is a secret
        for warning in self.backups.warnings():
            say(warning)
        say("Stop with Ctrl-C")

    @property
    def _first_run(self) -> Path:
        """Holds what the first run was: `demo` or `plain`."""
        return self.home / "first-run"

    def _manage(self, *arguments: str) -> str:
        """Run a `manage.py` command, named by its first argument, and return what it printed."""
        return self.supervisor.step(application.manage(arguments[0], arguments, self.variables))
