"""A PostgreSQL on a restored cluster that nobody else reaches: a socket in a closed directory, no network, no tasks."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
from django.conf import settings

from healthrecords.embedded.postgres import account, programs
from healthrecords.embedded.process import die_with_parent
from ops.backup.faults import BackupFault

SUPERUSER = "postgres"
SOCKETS = "healthrecords-restore-"  # how the name of a directory of sockets begins
_PORT = "5432"  # of the socket's name
_OURS = {
    "listen_addresses": "",
    "port": _PORT,
    "fsync": "off",  # the disk is flushed once, before the cluster is put in place
    "archive_mode": "off",
    "synchronous_standby_names": "",
    "primary_conninfo": "",
    "logging_collector": "off",
    "log_destination": "stderr",
    "max_wal_senders": "10",
    "ssl": "off",
    "restart_after_crash": "off",
}
_PATIENCE = 60.0  # seconds for an orderly stop


def database() -> str:
    """The database that matters in the cluster: the one that backups sign in to."""
    return urlsplit(settings.BACKUP_DATABASE_URL).path.strip("/") or "healthrecords"


@dataclass
class Instance:
    """The server while it recovers and is checked. `log` is its file of messages, `name` the database that is asked."""

    cluster: Path
    log: Path
    options: Mapping[str, str] = field(default_factory=dict)
    name: str = field(default_factory=database)

    def start(self) -> None:
        """Start it; `wait` tells when it has recovered."""
        self._account = account()
        self.sockets = Path(tempfile.mkdtemp(prefix=SOCKETS))
        (self.sockets / "hba.conf").write_text("local all all trust\n")  # who passes the directory's mode
        self._own(self.sockets, self.sockets / "hba.conf")
        options = {
            **_OURS,
            **self.options,
            "unix_socket_directories": str(self.sockets),
            "hba_file": str(self.sockets / "hba.conf"),
        }
        arguments = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        server = programs(settings.BACKUP_WORK_DIR, self._account) / "postgres"
        with self.log.open("ab") as output:
            self._popen = subprocess.Popen(
                [str(server), "-D", str(self.cluster), *arguments],
                env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC"},
                cwd=self.sockets,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                preexec_fn=die_with_parent(signal.SIGQUIT),  # noqa: PLW1509
                user=self._account.uid if self._account else None,
                group=self._account.gid if self._account else None,
                extra_groups=[] if self._account else None,
            )

    def _own(self, *paths: Path) -> None:
        if self._account:
            for path in paths:
                os.chown(path, self._account.uid, self._account.gid)

    def wait(self, look: Callable[[], None] = lambda: None) -> None:
        """Wait until it has left recovery; raise BackupFault with what its log says where it ends before that.

        pg_ctl's answer is not enough: it is good as soon as the server takes connections, target reached or not.
        """
        while True:
            if self._popen.poll() is not None:
                raise BackupFault(f"PostgreSQL did not recover: {self.fatal()}")
            if self._recovered():
                return
            look()
            time.sleep(0.1)

    def _recovered(self) -> bool:
        try:
            with self.connect() as connection:
                return connection.execute("SELECT pg_is_in_recovery()").fetchone() == (False,)
        except psycopg.OperationalError:
            return False

    def connect(self, name: str = "") -> "psycopg.Connection[Any]":
        """Sign in as the superuser, to another database than that which matters if one is named."""
        return psycopg.connect(
            host=str(self.sockets),
            port=_PORT,
            user=SUPERUSER,
            dbname=name or self.name,
            connect_timeout=3,
            autocommit=True,
        )

    def environment(self) -> dict[str, str]:
        """How libpq's programs find it."""
        return {"PGHOST": str(self.sockets), "PGPORT": _PORT, "PGUSER": SUPERUSER, "PGDATABASE": self.name}

    def fatal(self) -> str:
        """The last thing that its log calls fatal."""
        lines = [
            line for line in self.log.read_text(errors="replace").splitlines() if "FATAL:" in line or "PANIC:" in line
        ]
        return lines[-1].partition(":  ")[2] if lines else f"{self.log} says why"

    def says(self, words: str) -> bool:
        """Whether its log holds these words."""
        return words in self.log.read_text(errors="replace")

    def stop(self) -> None:
        """Shut it down in order; raise BackupFault where it does not end well."""
        code = self._end(signal.SIGINT)
        if code:
            raise BackupFault(f"PostgreSQL did not stop in order (exit code {code}); {self.log} says why.")

    def kill(self) -> None:
        """End it at once; for what is thrown away."""
        self._end(signal.SIGQUIT)

    def _end(self, number: int) -> int:
        if self._popen.poll() is None:
            self._popen.send_signal(number)
        try:
            return self._popen.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            self._popen.kill()
            return self._popen.wait()
        finally:
            shutil.rmtree(self.sockets, ignore_errors=True)
