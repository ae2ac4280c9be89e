"""deploy/Dockerfile by its text: no engine is needed to read it."""

import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def stages(root):
    """The instructions of the build stage and of the final stage."""
    text = (root / "deploy/Dockerfile").read_text().replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    starts = [number for number, line in enumerate(lines) if line.startswith("FROM ")]
    assert len(starts) == 2
    return lines[starts[0] : starts[1]], lines[starts[1] :]


def test_packages_are_installed_by_their_hashes_alone(stages, root):
    (install,) = [line for line in stages[0] if "pip install" in line]
    assert "--require-hashes -r /tmp/requirements.txt" in install
    assert "--hash=sha256:" in (root / "requirements.txt").read_text()


def test_the_final_image_runs_as_an_account_without_privileges(stages):
    assert "USER 10001:10001" in stages[1]
    assert not any(line.startswith("USER") and "10001" not in line for line in stages[1])


def test_the_final_image_has_no_compiler_no_installer_and_no_secret(stages):
    final = "\n".join(stages[1])
    assert not any(word in final for word in ("apt-get", "apk ", "gcc", "build-essential", "pip install"))
    assert "PIP_ONLY_BINARY=:all:" in "\n".join(stages[0])
    assert not any(word in final for word in ("SECRET", "PASSWORD", "TOKEN", "_KEY"))


def test_static_files_are_collected_while_building(stages):
    assert any("collect-static.sh" in line for line in stages[0])
    assert "HEALTHCARE_STATIC_ROOT=/app/static" in "\n".join(stages[1])


def test_the_image_has_a_health_check_and_the_base_is_slim(stages, root):
    assert any(line.startswith("HEALTHCHECK") for line in stages[1])
    assert "ARG PYTHON=python:3.11-slim-" in (root / "deploy/Dockerfile").read_text()


def test_the_image_holds_only_what_the_application_runs_on(root):
    rules = [line for line in (root / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")]
    assert rules[0] == "*"
    assert not any(".env" in rule or "secrets" in rule or ".git" in rule for rule in rules)


def test_every_file_that_the_image_runs_is_let_in(root, compose):
    allowed = {
        line.removeprefix("!") for line in (root / ".dockerignore").read_text().splitlines() if line.startswith("!")
    }
    dockerfile = (root / "deploy/Dockerfile").read_text()
    commands = " ".join(str(service.get("command")) for service in compose["services"].values())
    for path in (root / "deploy").iterdir():
        if path.is_file() and path.name != "Dockerfile" and f"deploy/{path.name}" in dockerfile + commands:
            assert f"deploy/{path.name}" in allowed, path.name


def test_static_files_can_be_collected_without_any_setting(root, tmp_path):
    clean = {name: value for name, value in os.environ.items() if not name.startswith("HEALTHCARE_")}
    programs = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        ["sh", "deploy/collect-static.sh"],
        cwd=root,
        env={**clean, "PATH": programs, "HEALTHCARE_STATIC_ROOT": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "staticfiles.json").is_file()


@pytest.fixture
def server():
    """A web server that answers with the status that its `status` says, and remembers the Host it was asked for."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self):
            self.server.asked = (self.path, self.headers["Host"])
            self.send_response(self.server.status)
            self.end_headers()

        def log_message(self, *arguments):
            pass

    running = HTTPServer(("127.0.0.1", 0), Answer)
    threading.Thread(target=running.serve_forever, daemon=True).start()
    yield running
    running.shutdown()
    running.server_close()


@pytest.mark.parametrize(("status", "code"), [(200, 0), (503, 1), (400, 1)])
def test_the_health_check_tells_a_living_server_from_a_sick_one(root, server, monkeypatch, status, code):
    assert check(root, server, monkeypatch, status) == code
    assert server.asked == ("/health", "ehr.example.org")


def test_the_health_check_of_a_server_that_is_gone_fails(root, server, monkeypatch):
    server.shutdown()
    server.server_close()
    assert check(root, server, monkeypatch, 200) == 1


def check(root, server, monkeypatch, status):
    import http.client
    import runpy

    server.status = status
    connect = http.client.HTTPConnection
    monkeypatch.setattr(
        http.client, "HTTPConnection", lambda host, _port, **more: connect(host, server.server_port, **more)
    )
    monkeypatch.setenv("HEALTHCARE_ALLOWED_HOSTS", "ehr.example.org,app")
    return runpy.run_path(str(root / "deploy/healthcheck.py"))["main"]()
