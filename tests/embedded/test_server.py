"""`make run` from an empty directory: it serves, heals what it can, and leaves nothing running."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests

from healthrecords.embedded.datadir import CHECKOUT
from tests.test_logs import MARKS, SICK


class Server:
    """A server that somebody started in a terminal."""

    def __init__(self, folder: Path, out: Path) -> None:
        self.folder, self.out = folder, out
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port = probe.getsockname()[1]

    def start(self) -> None:
        """Start it and wait until it is ready."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("HEALTHCARE_")}
        asked = {"HEALTHCARE_DATA_DIR": str(self.folder), "HEALTHCARE_PORT": str(self.port), "HEALTHCARE_DEMO": "0"}
        with self.out.open("w") as out:
            self.popen = subprocess.Popen(
                [sys.executable, "-m", "healthrecords.embedded", "run"],
                cwd=CHECKOUT,
                env=kept | asked,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.until(lambda: "Stop with" in self.printed() or self.popen.poll() is not None)
        assert f"Ready: http://127.0.0.1:{self.port}\n" in self.printed(), self.printed()

    def printed(self) -> str:
        return self.out.read_text()

    def pid(self, name: str) -> int:
        return int((self.folder / "run" / f"{name}.pid").read_text().split()[0])

    def answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health", timeout=5) as answer:
                return answer.status == 200
        except OSError:
            return False

    def ended(self) -> int:
        """Wait for the end; return the exit code, once it is sure that nothing is left running."""
        code = self.popen.wait(60)
        self.until(lambda: not self.family(), 5)
        return code

    def family(self) -> list[str]:
        """The processes that work for this directory, by what they run."""
        return [
            " ".join(each.info["cmdline"])
            for each in psutil.process_iter(["cmdline", "cwd", "status", "environ"])
            if each.info["status"] != psutil.STATUS_ZOMBIE
            and each.pid != os.getpid()
            and (
                str(self.folder) in " ".join(each.info["cmdline"] or [])
                or (each.info["environ"] or {}).get("HEALTHCARE_DATA_DIR") == str(self.folder)
            )
        ]

    def until(self, happened, seconds: float = 90.0) -> None:
        deadline = time.monotonic() + seconds
        while not happened():
            assert time.monotonic() < deadline, self.printed()
            time.sleep(0.05)


def _logs_nobody(server: Server) -> None:
    """What is sent about a person, well or badly, stands in no log of any process, and in no metric."""
    surroundings = {**os.environ, "HEALTHCARE_DATA_DIR": str(server.folder)}
    asked = [sys.executable, "manage.py", "tokens", "create", "planter", "--role", "integrator"]
    made = subprocess.run(asked, cwd=CHECKOUT, env=_own(surroundings), capture_output=True, text=True, check=True)
    token = made.stdout.strip()
    sent = [
        _sent(server, token, "POST", "Patient", SICK),
        _sent(server, token, "POST", "Patient", {**SICK, "gender": "zyxfree"}),
        _sent(server, token, "PUT", "Patient/zyx-mrn-4711", {**SICK, "id": "zyx-mrn-4711"}),
        _sent(server, token, "GET", "Patient?family=Zyxfamily&birthdate=1907-03-09&identifier=zyx-mrn-4711"),
        _sent(server, token, "GET", "zyxfree/Zyxfamily?name=Zyxgiven"),
        _sent(server, "zyxfree", "GET", "Patient?name=Zyxfamily"),
    ]
    assert sent == [201, 422, 201, 200, 404, 401]
    logs = [path for path in (server.folder / "logs").rglob("*") if path.is_file()]
    names = {path.name.partition(".")[0] for path in logs}
    assert names >= {"postgres", "gunicorn", "worker"}, names
    for path in logs:
        said = path.read_bytes()
        assert not [mark for mark in MARKS if mark.encode() in said], path


def _own(surroundings: dict[str, str]) -> dict[str, str]:
    """Without what leads this test process to its own stores."""
    others = {name for name in surroundings if name.startswith("HEALTHCARE_") and name != "HEALTHCARE_DATA_DIR"}
    return {name: value for name, value in surroundings.items() if name not in others | {"DJANGO_SETTINGS_MODULE"}}


def _sent(server: Server, token: str, method: str, path: str, body: dict[str, Any] | None = None) -> int:
    """The status of a request to the API."""
    headers = {"Content-Type": "application/fhir+json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    address = f"http://127.0.0.1:{server.port}/fhir/{path}"
    return requests.request(
        method, address, data=json.dumps(body) if body else None, headers=headers, timeout=20
    ).status_code


def _metrics(server: Server) -> str:
    token = (server.folder / "metrics-token").read_text().strip()
    address = f"http://127.0.0.1:{server.port}/metrics"
    return requests.get(address, headers={"Authorization": f"Bearer {token}"}, timeout=20).text


def _counts_over_all_processes(server: Server) -> None:
    """What web processes counted is one figure, also of one that was killed."""
    before, web = _counted(server), psutil.Process(server.pid("gunicorn"))
    for _ in range(20):
        assert _sent(server, "", "GET", "metadata") == 200
    victim = web.children()[0]
    victim.kill()
    server.until(lambda: victim not in web.children() and len(web.children()) > 1 and server.answers())
    for _ in range(20):
        assert _sent(server, "", "GET", "metadata") == 200
    assert _counted(server) == before + 40


def _counted(server: Server) -> int:
    """How many reads the API has answered, as /metrics tells."""
    name, told = 'http_requests_total{method="GET",part="fhir",status="200"} ', _metrics(server).splitlines()
    return sum(int(float(line.removeprefix(name))) for line in told if line.startswith(name))


@pytest.fixture(scope="module")
def server(open_folder):
    server = Server(open_folder / "data", open_folder / "out")
    yield server
    if server.popen.poll() is None:
        server.popen.terminate()
        server.popen.wait()


def test_an_operator_runs_crashes_and_stops_a_server(server):
    server.start()
    assert server.answers()
    assert "/accounts/enrol/" in server.printed()
    _keeps_its_secrets(server)
    _logs_nobody(server)
    server.until(lambda: re.search(r"^database_pool_max [1-9]", _metrics(server), re.MULTILINE))
    _counts_over_all_processes(server)

    # A crashed web server comes back.
    before = server.pid("gunicorn")
    os.kill(before, signal.SIGKILL)
    server.until(lambda: server.pid("gunicorn") != before and server.answers())
    assert "gunicorn ended with signal 9" in server.printed()

    # INT, as Ctrl-C sends it to the group, stops everything in order.
    os.killpg(server.popen.pid, signal.SIGINT)
    assert server.ended() == 0
    assert server.printed().endswith("Stopping\n")
    assert "ended with" not in server.printed().partition("Stopping")[2]

    # A second start uses the data; a dead store stops everything and says so.
    server.start()
    os.kill(server.pid("postgres"), signal.SIGKILL)
    assert server.ended() == 1
    assert "postgres ended with signal 9" in server.printed()

    # A start recovers from that. A killed supervisor takes the children along, and the next start meets none of them.
    server.start()
    server.popen.kill()
    server.popen.wait()
    server.start()
    server.popen.terminate()
    assert server.ended() == 0


def _keeps_its_secrets(server) -> None:
    """Neither the output nor a log tells a password or a sign-in link, and other accounts can read nothing."""
    passwords = (server.folder / "secrets" / "passwords.json").read_text().split('"')[3::4]
    logged = "".join(log.read_text(errors="replace") for log in (server.folder / "logs").glob("*.log"))
    assert len(passwords) > 10
    assert not [secret for secret in passwords if secret in server.printed() + logged]
    assert "/accounts/enrol/" not in logged
    assert server.folder.stat().st_mode & 0o066 == 0
    assert [path.name for path in server.folder.iterdir() if path.stat().st_mode & 0o077] == []
