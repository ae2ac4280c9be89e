"""Loads the dump of an archive into a new cluster of whatever version is installed, and counts its rows.

Unlike a copy of the cluster, a dump survives a change of the major version. It holds neither roles nor passwords:
those are made anew, by the script that makes them everywhere.
"""

import secrets
import shutil
import signal
import subprocess
import tempfile
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings

from healthrecords.embedded.credentials import credentials
from healthrecords.embedded.datadir import data_dir
from healthrecords.embedded.home import Home, write_private
from healthrecords.embedded.postgres import CLUSTER, ROLES, account, programs, role_passwords
from healthrecords.embedded.process import Account, die_with_parent
from ops.backup.catalogue import DUMP
from ops.backup.faults import Damaged
from ops.backup.flow import CHUNK
from ops.backup.programs import explained, program, run
from ops.backup.repository import Repository
from ops.backup.sealing import identities

from . import fetching
from .fetching import Advance, Source
from .instance import SUPERUSER, Instance, database
from .plan import Plan
from .recovering import Say

_EMPTY = "postgres"  # the database of a new cluster in which nothing is


@dataclass
class Reload:
    """One dump on its way back, into a cluster in `folder`. `messages` is the file to which its server writes."""

    plan: Plan
    repository: Repository
    folder: Path
    messages: Path
    say: Say
    advance: Advance

    def __post_init__(self) -> None:
        self.passwords = _passwords()

    def build(self) -> None:
        """Fetch the dump, its hash compared, and make an empty cluster."""
        self._links.mkdir(mode=0o700)
        source = Source(self.repository, identities(Path(settings.BACKUP_IDENTITY_FILE)), self.advance)
        self.say(f"Fetching the dump of {self.plan.base.id}")
        with source.part(self.plan.base.part(DUMP)) as content, self._dump.open("wb") as file:
            shutil.copyfileobj(content, file, CHUNK)
        self.folder.mkdir(mode=0o700)
        _initdb(self.folder, self.passwords[SUPERUSER])

    @property
    def _links(self) -> Path:
        return self.plan.target.beside("links")

    @property
    def _dump(self) -> Path:
        return self._links / "database.dump"

    def recovered(self) -> Instance:
        """Start the server, load the dump and compare the rows; raise BackupFault, with nothing left running."""
        self.say("Loading the dump")
        instance = Instance(self.folder, self.messages, name=_EMPTY)
        instance.start()
        try:
            instance.wait()
            self._load(instance)
            self.say("Counting the rows")
            with instance.connect() as connection:
                compare(rows_of(self._dump), connection)
        except BaseException:
            instance.kill()
            raise
        return instance

    def _load(self, instance: Instance) -> None:
        """Roles first, since tables belong to them, and once more for what they may do in the database."""
        _make_roles(instance, self.passwords)
        with instance.connect() as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{database()}"')
            connection.execute(f'CREATE DATABASE "{database()}" OWNER healthrecords_owner')
        instance.name = database()
        run("pg_restore", "--exit-on-error", "--jobs=2", f"--dbname={database()}", str(self._dump),
            environment=instance.environment())  # fmt: skip
        _make_roles(instance, self.passwords)


def _passwords() -> Mapping[str, str]:
    """Those of the local server, so that it opens its cluster; else new ones, until the roles are given theirs."""
    return credentials(Home(data_dir())) if settings.EMBEDDED else defaultdict(lambda: secrets.token_hex(32))


def _make_roles(instance: Instance, passwords: Mapping[str, str]) -> None:
    environment = instance.environment() | role_passwords(passwords)
    run("psql", "-qXw", "--set=ON_ERROR_STOP=1", f"--file={ROLES}", environment=environment)


def _initdb(folder: Path, password: str) -> None:
    """Make an empty cluster as the account that will run it; raise BackupFault."""
    owner = account()
    with tempfile.TemporaryDirectory(prefix="healthrecords-initdb-") as scratch:
        write_private(Path(scratch) / "password", password)
        for path in (folder, Path(scratch)):
            if owner:
                fetching.give(path, owner.uid, owner.gid)
        _run_initdb(folder, Path(scratch) / "password", owner)


def _run_initdb(folder: Path, password: Path, owner: Account | None) -> None:
    options = (f"--pgdata={folder}", f"--pwfile={password}", "--no-sync", *CLUSTER)
    done = subprocess.run(
        [str(programs(settings.BACKUP_WORK_DIR, owner) / "initdb"), *options],
        env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC"},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        user=owner.uid if owner else None,
        group=owner.gid if owner else None,
        extra_groups=[] if owner else None,
    )
    if done.returncode:
        raise explained("initdb", done.stderr)


def rows_of(dump: Path) -> dict[str, int]:
    """How many rows a dump holds of each table; raise BackupFault."""
    found: dict[str, int] = {}
    with subprocess.Popen(
        [program("pg_restore"), "--data-only", "--file=-", str(dump)],
        env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=die_with_parent(signal.SIGKILL),  # noqa: PLW1509
    ) as child:
        assert child.stdout and child.stderr  # noqa: S101, PT018  # nosec B101
        table = ""
        for line in child.stdout:
            if table:
                found[table] += line != b"\\.\n"
                table = table if line != b"\\.\n" else ""
            elif line.startswith(b"COPY ") and line.endswith(b" FROM stdin;\n"):
                table = line[5:].partition(b" (")[0].decode()
                found[table] = 0
        said = child.stderr.read().decode(errors="replace")
    if child.returncode:
        raise explained("pg_restore", said)
    return found


def compare(rows: Mapping[str, int], connection: Any) -> None:
    """Raise Damaged unless every table has as many rows as the dump."""
    for table, number in rows.items():
        found = connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608  # nosec B608  quoted
        if found != number:
            raise Damaged(f"{table} has {found} rows and the dump {number}; nothing was put in place.")
