"""Alerts end to end: the real conditions made on a running server, up to the message that a receiver gets.

    .venv/bin/python -m benchmarks.alerting [--directory DIR] [--only ALERT]

Starts `make run` on a throwaway directory, and over it a real Prometheus, Alertmanager and exporter of PostgreSQL
(Debian: prometheus, prometheus-alertmanager, prometheus-postgres-exporter) with the rules and routes of `deploy/`. The
scrapes come every two seconds and `for` is left out; the expressions are those of production, so that what must be
silent for three minutes is silent for three minutes. Messages go to a receiver here and to the server's own /alerts.
Takes about twenty minutes, and for some seconds most of the machine's memory.
"""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import psycopg
import requests

from benchmarks.api import free_port
from benchmarks.people import patient
from benchmarks.recovery import Trial
from ops.monitoring.tests.watching import Inbox, watched


class Clinic:
    """The server under trial, as those see it who use it, run it, or break it."""

    def __init__(self, trial: Trial) -> None:
        self.trial, self.data = trial, trial.folder / "data"
        self.base = f"http://127.0.0.1:{trial.port}"
        self.writer = trial.manage("tokens", "create", "writer", "--role", "integrator")
        self.person = self.ask("POST", "Patient", self.writer, patient(0)).json()["id"]

    def ask(self, method: str, path: str, token: str, body: Any = None) -> requests.Response:
        """One request to the API."""
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/fhir+json"}
        return requests.request(method, f"{self.base}/fhir/{path}", json=body, headers=headers, timeout=30)

    def read(self, token: str, times: int) -> None:
        """Read the same patient again and again."""
        for _ in range(times):
            self.ask("GET", f"Patient/{self.person}", token)

    def superuser(self) -> psycopg.Connection[Any]:
        """A connection to the server's PostgreSQL by which anything can be broken."""
        password = json.loads((self.data / "secrets" / "passwords.json").read_text())["postgres"]
        return psycopg.connect(
            host="127.0.0.1", port=self.port_of("postgres"), user="postgres", dbname="healthrecords", password=password,
            autocommit=True,
        )  # fmt: skip

    def sql(self, statement: str) -> None:
        """Run a statement as the superuser."""
        with self.superuser() as connection:
            connection.execute(statement.encode())

    def port_of(self, store: str) -> int:
        return int(json.loads((self.data / "ports.json").read_text())[store])

    def process(self, name: str) -> int:
        """The id of one of the server's processes."""
        return int((self.data / "run" / f"{name}.pid").read_text().split()[0])


# --- Conditions: each lasts while its block runs -----------------------------------------------------------------

Condition = Callable[[Clinic], AbstractContextManager[None]]


@contextmanager
def requests_denied(clinic: Clinic) -> Iterator[None]:
    """A token that was made up, twelve times."""
    clinic.read("made-up", 12)
    yield


@contextmanager
def sign_ins_failing(clinic: Clinic) -> Iterator[None]:
    """Passwords of forty addresses that nobody has."""
    with requests.Session() as browser:
        for number in range(40):
            page = f"{clinic.base}/accounts/login/"
            browser.get(page, timeout=30)
            form = {"login": f"nobody{number}@example.org", "password": "guess", "csrfmiddlewaretoken": ""}
            form["csrfmiddlewaretoken"] = browser.cookies.get("csrf") or ""
            browser.post(page, data=form, headers={"Referer": page}, timeout=30)
    yield


@contextmanager
def answers_slow(clinic: Clinic) -> Iterator[None]:
    """Somebody locks the versions for most of each second."""
    ends = threading.Event()

    def lock() -> None:
        with clinic.superuser() as connection:
            while not ends.is_set():
                with connection.transaction():
                    connection.execute("LOCK TABLE healthrecords_recordversion IN ACCESS EXCLUSIVE MODE")
                    time.sleep(0.9)

    threads = [threading.Thread(target=lock), threading.Thread(target=clinic.read, args=(clinic.writer, 15))]
    for thread in threads:
        thread.start()
    threads[1].join()
    ends.set()
    threads[0].join()
    yield


@contextmanager
def errors_forced(clinic: Clinic) -> Iterator[None]:
    """The application may no longer write the access log, so that no data leaves."""
    function = "FUNCTION audit.audit_append(jsonb, jsonb)"
    clinic.sql(f"REVOKE EXECUTE ON {function} FROM healthrecords_app")
    try:
        clinic.read(clinic.writer, 60)
        yield
    finally:
        clinic.sql(f"GRANT EXECUTE ON {function} TO healthrecords_app")


@contextmanager
def row_changed(clinic: Clinic) -> Iterator[None]:
    """A sealed version is changed past the application, and read."""
    table = "healthrecords_recordversion"
    clinic.sql(f"ALTER TABLE {table} DISABLE TRIGGER refuse_change")
    clinic.sql(f"UPDATE {table} SET content = set_byte(content, 40, get_byte(content, 40) # 1)")  # noqa: S608
    clinic.sql(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER refuse_change")
    clinic.read(clinic.writer, 2)
    yield


@contextmanager
def memory_taken(clinic: Clinic) -> Iterator[None]:
    """A process takes memory until 72% of the machine's are in use."""
    take = (
        "import psutil, time; taken = []\n"
        "while psutil.virtual_memory().percent < 72: taken.append(bytearray(b'x') * (64 << 20))\n"
        "print('taken', flush=True); time.sleep(120)"
    )
    with subprocess.Popen([sys.executable, "-c", take], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        process.stdout.readline()
        try:
            yield
        finally:
            process.kill()


@contextmanager
def no_backup(clinic: Clinic) -> Iterator[None]:
    """It is known that there is none."""
    clinic.trial.manage("backup", "publish")
    yield


@contextmanager
def backup_old(clinic: Clinic) -> Iterator[None]:
    """A backup is taken, and four hours go by: the row that tells of it is moved back by as much."""
    clinic.trial.manage("backup", "database", "--type", "full")
    clinic.trial.manage("backup", "publish")
    back = "(data #>> '{newest,stopped}')::timestamptz - interval '4 hours'"
    clinic.sql(f"UPDATE ops_backups SET data = jsonb_set(data, '{{newest,stopped}}', to_jsonb({back}))")  # noqa: S608
    yield


@contextmanager
def sealer_stopped(clinic: Clinic) -> Iterator[None]:
    """The role that seals may no longer add seals."""
    clinic.sql("REVOKE INSERT ON audit.compliance_auditseal FROM healthrecords_sealer")
    try:
        clinic.read(clinic.writer, 1)
        yield
    finally:
        clinic.sql("GRANT INSERT ON audit.compliance_auditseal TO healthrecords_sealer")


@contextmanager
def hanging(clinic: Clinic, name: str) -> Iterator[None]:
    """A process hangs. One that is killed comes back at once, by the supervisor of `make run`."""
    process = clinic.process(name)
    os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(process, signal.SIGCONT)


@contextmanager
def beat_hangs(clinic: Clinic) -> Iterator[None]:
    """Beat hands nothing out."""
    with hanging(clinic, "beat"):
        yield


@contextmanager
def worker_hangs(clinic: Clinic) -> Iterator[None]:
    """The worker of the short queue does nothing."""
    with hanging(clinic, "worker"):
        yield


@contextmanager
def database_stopped(clinic: Clinic) -> Iterator[None]:
    """PostgreSQL is killed; `make run` ends with it."""
    os.kill(clinic.process("postgres"), signal.SIGKILL)
    yield


# In this order: what breaks more comes later. Seconds within which the message must come.
TRIALS: tuple[tuple[Condition, str, float], ...] = (
    (requests_denied, "PHIBreachDetected", 60),
    (sign_ins_failing, "ManySignInFailures", 60),
    (no_backup, "NoBackupForADay", 60),
    (answers_slow, "SlowAPIResponse", 60),
    (memory_taken, "HighMemoryUsage", 60),
    (backup_old, "BackupOverdue", 60),
    (sealer_stopped, "AuditTrailNotSealed", 300),
    (beat_hangs, "TimetableStopped", 300),
    (worker_hangs, "WorkerStopped", 420),
    (errors_forced, "HighErrorRate", 60),
    (row_changed, "SealedValueDoesNotOpen", 60),
    (database_stopped, "DatabaseDown", 60),
)


def main() -> None:
    """Carry them out once and print when each message came."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--directory")
    parser.add_argument("--only", action="append")
    wanted = parser.parse_args()
    trials = [each for each in TRIALS if each[1] in (wanted.only or [alert for _, alert, _ in TRIALS])]
    folder = Path(tempfile.mkdtemp(prefix="healthrecords-alerting-", dir=wanted.directory))
    folder.chmod(0o711)
    try:
        trial = Trial(folder, synchronous=False)
        with trial.running(), Inbox().open() as inbox, over(trial, inbox) as clinic:
            missed = [each[1] for each in trials if not told(clinic, inbox, *each)]
    finally:
        shutil.rmtree(folder)
    sys.exit(f"no message: {', '.join(missed)}" if missed else 0)


@contextmanager
def over(trial: Trial, inbox: Inbox) -> Iterator[Clinic]:
    """Prometheus, Alertmanager and the exporter over a running server."""
    clinic, port, place = Clinic(trial), free_port(), trial.folder / "watch"
    place.mkdir()
    tokens = [(clinic.data / f"{name}-token").read_text().strip() for name in ("metrics", "alerts")]
    targets = {"app": clinic.base.removeprefix("http://"), "postgresql": f"127.0.0.1:{port}"}
    with (
        exporter(clinic, port),
        watched(place, targets, tokens[0], [inbox.address, f"{clinic.base}/alerts"], tokens[1]),
    ):
        inbox.wait_for("Watchdog")
        yield clinic


@contextmanager
def exporter(clinic: Clinic, port: int) -> Iterator[None]:
    """The exporter of PostgreSQL by its monitor role."""
    password = json.loads((clinic.data / "secrets" / "passwords.json").read_text())["database_monitor"]
    surroundings = {
        "DATA_SOURCE_URI": f"127.0.0.1:{clinic.port_of('postgres')}/healthrecords?sslmode=disable",
        "DATA_SOURCE_USER": "healthrecords_monitor", "DATA_SOURCE_PASS": password,
    }  # fmt: skip
    command = ["prometheus-postgres-exporter", f"--web.listen-address=127.0.0.1:{port}", "--log.level=error"]
    with subprocess.Popen(command, env=surroundings, stderr=subprocess.DEVNULL) as process:
        try:
            yield
        finally:
            process.terminate()


def told(clinic: Clinic, inbox: Inbox, condition: Condition, alert: str, patience: float) -> bool:
    """Make a condition; print how long the message took, or that none came."""
    early = any((each.alert, each.status) == (alert, "firing") for each in inbox.messages)
    begun = time.monotonic()
    with condition(clinic):
        made = time.monotonic()
        try:
            message = inbox.wait_for(alert, patience)
        except AssertionError:
            print(f"{alert}: NO MESSAGE within {patience:.0f} s", flush=True)
            return False
        note = " (it fired before the condition was made)" if early else ""
        words = message.annotations["summary"]
        print(
            f"{alert}: made in {made - begun:.1f} s, told after {time.monotonic() - made:.1f} s{note}: {words}",
            flush=True,
        )
        return not early


if __name__ == "__main__":
    main()
