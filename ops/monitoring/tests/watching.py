"""A real Prometheus and a real Alertmanager over a running server, by the rules and routes that production has.

What is shortened: figures are asked for every two seconds, a condition need not last (`for`), and messages are not held
back. The expressions stay as they are.
"""

import json
import re
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import requests
import yaml

from healthrecords.embedded.datadir import CHECKOUT

PROGRAMS = ("prometheus", "prometheus-alertmanager")
_FOR = re.compile(r"\bfor: \w+$", re.MULTILINE)
_WAITS = {"group_wait": "0s", "group_interval": "1s", "repeat_interval": "1m"}


@dataclass(frozen=True)
class Message:
    """What a receiver was told of one alert: `firing` or `resolved`."""

    alert: str
    status: str
    labels: dict[str, str]
    annotations: dict[str, str]


@dataclass
class Inbox:
    """A receiver of Alertmanager's messages, on a free port of this machine."""

    messages: list[Message] = field(default_factory=list)
    tokens: set[str] = field(default_factory=set)
    address: str = ""

    @contextmanager
    def open(self) -> Iterator["Inbox"]:
        """Receive while the block runs."""
        server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        self.address = f"http://127.0.0.1:{server.server_address[1]}/"
        try:
            yield self
        finally:
            server.shutdown()
            thread.join()
            server.server_close()

    def wait_for(self, alert: str, seconds: float = 60, status: str = "firing") -> Message:
        """The first message about an alert; raise AssertionError where none comes in time."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for message in list(self.messages):
                if (message.alert, message.status) == (alert, status):
                    return message
            time.sleep(0.2)
        raise AssertionError(f"no message that {alert} is {status}: {[(m.alert, m.status) for m in self.messages]}")

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        inbox = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                inbox.tokens.add(self.headers.get("Authorization", ""))
                for each in body["alerts"]:
                    named = each["labels"]["alertname"]
                    inbox.messages.append(Message(named, each["status"], each["labels"], each["annotations"]))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Nothing."""

        return Handler


@contextmanager
def watched(folder: Path, targets: dict[str, str], token: str, told: list[str], alerts_token: str) -> Iterator[str]:
    """Prometheus over `targets` (HOST:PORT by job) and Alertmanager, which posts to the addresses `told`.

    Yields the address of Prometheus, once it has looked at the server twice: what happens from then on is an increase.
    """
    ports = [_free_port(), _free_port()]
    prometheus, alertmanager = (f"127.0.0.1:{port}" for port in ports)
    (folder / "token").write_text(token)
    (folder / "alerts-token").write_text(alerts_token)
    (folder / "rules").mkdir()
    for path in (CHECKOUT / "deploy/prometheus/rules").glob("*.yml"):
        (folder / "rules" / path.name).write_text(
            re.sub(r"^( +for:) \w+$", r"\1 0s", path.read_text(), flags=re.MULTILINE)
        )
    _write(folder / "prometheus.yml", _asking(folder, targets, alertmanager))
    _write(folder / "alertmanager.yml", _routing(folder, told))
    with ExitStack() as running:
        for command, address in (
            (_alertmanager(folder, alertmanager), alertmanager),
            (_prometheus(folder, prometheus), prometheus),
        ):
            running.enter_context(_process(command, folder, f"http://{address}/-/ready"))
        while _looks(prometheus) < 2:
            time.sleep(0.2)
        yield f"http://{prometheus}"


def _looks(prometheus: str) -> int:
    """How often the application's figures were taken."""
    query = {"query": 'max(count_over_time(http_requests_total{part="fhir"}[1h]))'}
    answer = requests.get(f"http://{prometheus}/api/v1/query", params=query, timeout=10)
    found = answer.json()["data"]["result"]
    return int(found[0]["value"][1]) if found else 0


def _asking(folder: Path, targets: dict[str, str], alertmanager: str) -> dict[str, Any]:
    """The configuration of production for the jobs that have a target here, every two seconds."""
    known = yaml.safe_load((CHECKOUT / "deploy/prometheus/prometheus.yml").read_text())
    known["global"] = {"scrape_interval": "2s", "scrape_timeout": "2s", "evaluation_interval": "1s"}
    known["alerting"]["alertmanagers"][0]["static_configs"] = [{"targets": [alertmanager]}]
    known["scrape_configs"] = [job for job in known["scrape_configs"] if job["job_name"] in targets]
    for job in known["scrape_configs"]:
        job["static_configs"] = [{"targets": [targets[job["job_name"]]]}]
        if "authorization" in job:
            job["authorization"]["credentials_file"] = str(folder / "token")
    return dict(known)


def _routing(folder: Path, told: list[str]) -> dict[str, Any]:
    """The routes of production to receivers here; nothing is kept quiet, so that each message is seen."""
    known = yaml.safe_load((CHECKOUT / "deploy/alertmanager/alertmanager.yml").read_text())
    secret = {"authorization": {"type": "Bearer", "credentials_file": str(folder / "alerts-token")}}
    for route in (known["route"], *known["route"]["routes"]):
        route.update(_WAITS)
    for receiver in known["receivers"]:
        receiver["webhook_configs"] = [{"url": address, "http_config": secret} for address in told]
    return {**known, "inhibit_rules": []}


def _prometheus(folder: Path, address: str) -> list[str]:
    return [
        "prometheus", f"--config.file={folder / 'prometheus.yml'}", f"--storage.tsdb.path={folder / 'series'}",
        f"--web.listen-address={address}", "--log.level=warn", "--rules.alert.resend-delay=1s",
    ]  # fmt: skip


def _alertmanager(folder: Path, address: str) -> list[str]:
    return [
        "prometheus-alertmanager", f"--config.file={folder / 'alertmanager.yml'}", f"--storage.path={folder / 'kept'}",
        f"--web.listen-address={address}", "--cluster.listen-address=", "--log.level=warn",
    ]  # fmt: skip


@contextmanager
def _process(command: list[str], folder: Path, ready: str) -> Iterator[None]:
    """A program while the block runs, once it answers."""
    with (folder / f"{command[0]}.log").open("w") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        try:
            _wait_for(ready, process, Path(log.name))
            yield
        finally:
            process.terminate()
            process.wait(30)


def _wait_for(address: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end and process.poll() is None:
        try:
            if requests.get(address, timeout=2).ok:
                return
        except requests.RequestException:
            time.sleep(0.1)
    raise AssertionError(f"{process.args} does not answer: {log.read_text()[-500:]}")


def _write(path: Path, said: dict[str, Any]) -> None:
    path.write_text(yaml.safe_dump(said))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
