"""The whole way of a recovery: records under load, a chain of backups, the database killed and its directory deleted.

    .venv/bin/python -m benchmarks.recovery [--doses 1000000] [--synchronous] [--directory DIR]

Starts `make run` on a throwaway directory, copies a dose until there are so many (a million make about 2 GB), and has
patients written by the API all the while. Then: a full backup, three incremental ones with a named point before each,
`kill -9` of PostgreSQL at a random moment, its directory deleted, recovery from the repository and the spool alone, a
start, and a count of what was acknowledged against what is there. The audit trail is verified across it.
"""

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

from benchmarks.api import CHECKOUT, free_port
from benchmarks.people import patient

WRITERS = 4


class Trial:
    """A server on a directory of its own, and the commands of its operator."""

    def __init__(self, folder: Path, synchronous: bool) -> None:
        self.folder, self.port = folder, free_port()
        kept = {name: value for name, value in os.environ.items() if not name.startswith("HEALTHCARE_")}
        self.environment = kept | {
            "HEALTHCARE_DATA_DIR": str(folder / "data"), "HEALTHCARE_BACKUP_WORK_DIR": str(folder / "backups"),
            "HEALTHCARE_PORT": str(self.port), "HEALTHCARE_DEMO": "0", "HEALTHCARE_RATE_UNITS": "10000000",
            **({"HEALTHCARE_BACKUP_SYNCHRONOUS": "1"} if synchronous else {}),
        }  # fmt: skip

    @contextmanager
    def running(self) -> Iterator[None]:
        """The server while the block runs; it may have ended by itself."""
        run = [sys.executable, "-m", "healthrecords.embedded", "run"]
        process = subprocess.Popen(run, cwd=CHECKOUT, env=self.environment, stdout=subprocess.PIPE, text=True)
        try:
            for line in process.stdout or ():
                if line.startswith("Ready: "):
                    break
            yield
        finally:
            process.terminate()
            process.wait(120)

    def manage(self, *words: str) -> str:
        """What a command prints; raise SystemExit with its words where it fails."""
        done = subprocess.run(
            [sys.executable, "manage.py", *words], cwd=CHECKOUT, env=self.environment, capture_output=True, text=True,
            check=False,
        )  # fmt: skip
        if done.returncode:
            raise SystemExit(f"{' '.join(words)}: {done.stdout}{done.stderr}")
        return done.stdout.strip()

    def timed(self, name: str, *words: str) -> dict[str, Any]:
        """Run a command with --json, print how long it took, return what it says."""
        begun = time.monotonic()
        said: dict[str, Any] = json.loads(self.manage(*words, "--json"))
        print(f"{name}: {time.monotonic() - begun:.1f} s. {said['summary']}", flush=True)
        return said

    def sql(self, statement: str) -> list[Any]:
        """Ask the database as its owner."""
        code = (
            "import django, json, sys; django.setup(); from django.db import connections; "
            "c = connections['owner'].cursor(); c.execute('SET statement_timeout = 0'); c.execute(sys.argv[1]); "
            "print(json.dumps(c.fetchall() if c.description else []))"
        )
        surroundings = self.environment | {"DJANGO_SETTINGS_MODULE": "healthrecords.settings"}
        asked = [sys.executable, "-c", code, statement]
        done = subprocess.run(asked, cwd=CHECKOUT, env=surroundings, capture_output=True, text=True, check=True)
        rows: list[Any] = json.loads(done.stdout)
        return rows


class Writers:
    """Patients written by several clients at once; `acknowledged` are the ids that were answered with 201."""

    def __init__(self, trial: Trial, token: str) -> None:
        self.address, self.token = f"http://127.0.0.1:{trial.port}/fhir/Patient", token
        self.acknowledged: list[str] = []
        self.ends = threading.Event()
        self.threads = [threading.Thread(target=self._write, args=(n,)) for n in range(WRITERS)]
        for each in self.threads:
            each.start()

    def end(self) -> None:
        """Stop writing, and wait for the answers that are under way."""
        self.ends.set()
        for each in self.threads:
            each.join()

    def _write(self, first: int) -> None:
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/fhir+json"}
        with requests.Session() as session:
            for number in range(first, 10_000_000, WRITERS):
                if self.ends.is_set():
                    return
                try:
                    answer = session.post(self.address, data=json.dumps(patient(number)), headers=headers, timeout=30)
                except requests.RequestException:
                    return
                if answer.status_code == 201:
                    self.acknowledged.append(answer.json()["id"])


def main() -> None:
    """Carry it out once and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--doses", type=int, default=1_000_000)
    parser.add_argument("--synchronous", action="store_true")
    parser.add_argument("--directory")
    wanted = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="healthrecords-recovery-", dir=wanted.directory))
    folder.chmod(0o711)
    try:
        trial = Trial(folder, wanted.synchronous)
        acknowledged = lose(trial, wanted.doses)
        recover(trial, acknowledged)
    finally:
        shutil.rmtree(folder)


def lose(trial: Trial, doses: int) -> list[str]:
    """Fill, back up under load, kill and delete the database; return the ids of patients that were acknowledged."""
    with trial.running():
        token = trial.manage("tokens", "create", "load", "--role", "integrator")
        fill(trial, token, doses)
        print(f"database: {trial.sql('SELECT pg_database_size(current_database())')[0][0] / 1e9:.2f} GB", flush=True)
        writers = Writers(trial, token)
        trial.timed("full", "backup", "database", "--type", "full")
        for number in range(3):
            trial.timed("point", "backup", "point", f"point-{number}")
            trial.timed("incremental", "backup", "database", "--type", "incremental")
        time.sleep(random.uniform(1, 8))  # nosec B311  no secret
        postmaster = trial.folder / "data" / "run" / "postgres.pid"
        os.kill(int(postmaster.read_text().split()[0]), signal.SIGKILL)
        writers.end()
    cluster = next(path for path in (trial.folder / "data").rglob("PG_VERSION") if path.parent.name != "base").parent
    shutil.rmtree(cluster)
    print(f"killed after {len(writers.acknowledged)} acknowledged writes, {cluster.name} deleted", flush=True)
    return writers.acknowledged


def fill(trial: Trial, token: str, doses: int) -> None:
    """Make one patient with one dose by the API, and copy the dose."""
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/fhir+json"}
    base = f"http://127.0.0.1:{trial.port}/fhir"
    person = requests.post(f"{base}/Patient", json=patient(0), headers=headers, timeout=30).json()["id"]
    dose = {
        "resourceType": "Immunization", "status": "completed", "occurrenceDateTime": "2025-10-01", "lotNumber": "L1",
        "vaccineCode": {"coding": [{"system": "http://hl7.org/fhir/sid/cvx", "code": "140"}]},
        "patient": {"reference": f"Patient/{person}"},
    }  # fmt: skip
    requests.post(f"{base}/Immunization", json=dose, headers=headers, timeout=30).raise_for_status()
    own = {"uuid": "md5('d' || n)::uuid", "logical_id": "'dose' || n", "current_id": "md5('v' || n)::uuid"}
    version = {"uuid": "md5('v' || n)::uuid", "logical_id": "'dose' || n"}
    copy(trial, "healthrecords_recordversion", version, doses, "resource_type = 'Immunization'")
    copy(trial, "immunizations_immunization", own, doses, "logical_id NOT LIKE 'dose%'")


def copy(trial: Trial, table: str, changed: dict[str, str], count: int, which: str) -> None:
    """Copy the one row of a table so many times, with other keys."""
    asked = (
        f"SELECT column_name FROM information_schema.columns WHERE table_name = '{table}' AND is_generated = 'NEVER'"  # noqa: S608
    )
    columns = [row[0] for row in trial.sql(asked)]
    names, values = ", ".join(columns), ", ".join(changed.get(each, each) for each in columns)
    rows = f"(SELECT * FROM {table} WHERE {which} LIMIT 1) AS one, generate_series(1, {count}) AS n"  # noqa: S608
    trial.sql(f"INSERT INTO {table} ({names}) SELECT {values} FROM {rows}")  # noqa: S608


def recover(trial: Trial, acknowledged: list[str]) -> None:
    """Restore from what is left, start, and compare."""
    begun = time.monotonic()
    trial.timed("restore", "restore", "database", "latest")
    with trial.running():
        print(f"from nothing to serving: {time.monotonic() - begun:.1f} s", flush=True)
        there = {row[0] for row in trial.sql("SELECT logical_id FROM patients_patient")}
        lost = [each for each in acknowledged if each not in there]
        doses = trial.sql("SELECT count(*) FROM immunizations_immunization")[0][0]
        print(f"acknowledged {len(acknowledged)}, recovered {len(acknowledged) - len(lost)}, lost {len(lost)}")
        print(f"{doses} doses, {len(there)} patients")
        trial.timed("audit verify", "audit", "verify")


if __name__ == "__main__":
    main()
