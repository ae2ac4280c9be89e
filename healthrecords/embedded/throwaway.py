"""Stores for the tests: the same servers in a temporary directory, gone when the tests are."""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

from .home import Home
from .postgres import THROWAWAY
from .signals import StopSignal
from .stores import Stores
from .supervisor import Supervisor

_PATIENCE = 60.0  # seconds
# Template databases for the test processes are made by the owner, who may not create databases elsewhere.
_OWNER_MAY_CREATE_DATABASES = "ALTER ROLE healthrecords_owner CREATEDB;"


class Throwaway:
    """Stores that have their addresses from the beginning, run from `start` on, and vanish with `stop`."""

    def __init__(self) -> None:
        self._owner = os.getpid()
        self.home = Home(Path(tempfile.mkdtemp(prefix="healthrecords-tests-")))
        atexit.register(self._remove)
        self.home.prepare()
        self.home.refuse_unreachable()
        self._stores = Stores(self.home, THROWAWAY, self.home / "backups")
        self._supervisor = Supervisor(self.home, StopSignal(), print)

    def environment(self) -> dict[str, str]:
        """Return the HEALTHCARE_ names by which Django finds the stores."""
        return self._stores.environment(8000)

    def start(self) -> None:
        """Start the stores and wait until each works; raise ServerFailed if one does not."""
        self.home.refuse_full_disk()
        self._supervisor.start_stores(self._stores.prepare())
        for store in self._stores.all:
            self._supervisor.wait_for(type(store).__name__, store.ready, _PATIENCE)
        self._stores.postgres.apply_roles()
        self._stores.postgres.run_sql(_OWNER_MAY_CREATE_DATABASES)

    def stop(self) -> None:
        """Stop the stores and remove all that they wrote."""
        self._supervisor.stop(hurry=True)
        self._remove()

    def _remove(self) -> None:
        if os.getpid() == self._owner:  # not in a process that a test forked
            shutil.rmtree(self.home.root, ignore_errors=True)
