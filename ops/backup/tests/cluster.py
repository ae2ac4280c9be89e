"""A small cluster of its own for the tests of backups: made by the code of `make run`, without the other stores."""

import shutil
import tempfile
from pathlib import Path

import psycopg
from pyrage import x25519

from healthrecords.embedded.credentials import credentials
from healthrecords.embedded.home import Home
from healthrecords.embedded.ports import kept_ports
from healthrecords.embedded.postgres import THROWAWAY, Postgres
from healthrecords.embedded.signals import StopSignal
from healthrecords.embedded.supervisor import Supervisor

SMALL = {"synchronous_commit": "local", "shared_buffers": "16MB", "max_wal_size": "256MB", "min_wal_size": "32MB"}


def _quickest():
    """Memory where there is plenty, since a cluster has a thousand files; else the usual place."""
    memory = Path("/dev/shm")  # noqa: S108
    return memory if memory.is_dir() and shutil.disk_usage(memory).free > 4 << 30 else None


class Cluster:
    """PostgreSQL in a temporary directory that its account may reach, a repository, and keys."""

    def __init__(self, folder=None, **settings):
        self.folder = Path(tempfile.mkdtemp(prefix="healthrecords-tests-", dir=folder or _quickest()))
        self.folder.chmod(0o711)
        self.home = Home(self.folder / "data")
        self.home.prepare()
        self.work, self.repository = self.folder / "backups", self.folder / "repository"
        self.repository.mkdir()
        self.passwords = credentials(self.home)
        port = kept_ports(self.home / "ports.json", ("postgres",))["postgres"]
        self.postgres = Postgres(self.home, port, self.passwords, THROWAWAY | SMALL | settings)
        self.supervisor = Supervisor(self.home, StopSignal(), print)
        self.identity = x25519.Identity.generate()
        self.keys = {"identity": str(self.identity), "recipients": str(self.identity.to_public())}
        for name, text in self.keys.items():
            (self.folder / name).write_text(f"{text}\n")
            (self.folder / name).chmod(0o600)

    def start(self):
        self.postgres.prepare()
        self.supervisor.start_stores([self.postgres.program()])
        self.supervisor.wait_for("PostgreSQL", self.postgres.ready, 60)
        self.postgres.apply_roles()

    def stop(self, hurry=False):
        self.supervisor.stop(hurry)

    def remove(self):
        self.stop(hurry=True)
        shutil.rmtree(self.folder, ignore_errors=True)

    def settings(self):
        """The Django settings by which `backup` and `restore` find it."""
        return {
            "BACKUP_DATABASE_URL": self.postgres.url("healthrecords_backup", "database_backup"),
            "BACKUP_REPOSITORY": f"file://{self.repository}",
            "BACKUP_WORK_DIR": self.work,
            "BACKUP_RECIPIENTS_FILE": str(self.folder / "recipients"),
            "BACKUP_IDENTITY_FILE": str(self.folder / "identity"),
            "BACKUP_TRAIL_SEAL": "",
            "BACKUP_NEW_EPOCH": "",
            "BACKUP_VERIFY_TRAIL": "",
        }

    def connect(self, role="healthrecords_owner", password="database_owner"):  # noqa: S107
        return psycopg.connect(self.postgres.url(role, password), autocommit=True)

    def run(self, statement, *values):
        with self.connect() as connection:
            cursor = connection.execute(statement, values)
            return cursor.fetchall() if cursor.description else []

    def forget(self):
        """Empty the repository and the working directory, and drop what a test left in the database."""
        for folder in (self.work, self.repository):
            shutil.rmtree(folder, ignore_errors=True)
        self.repository.mkdir()
        for folder in self.folder.glob("restored-*"):
            shutil.rmtree(folder)
        self.run("DROP TABLE IF EXISTS marker, filler")
        with self.connect("postgres", "postgres") as connection:
            connection.execute("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE NOT active")
