"""Runs every query of the dashboards against a Prometheus that asks a whole server at work, for docs/dashboards.md.

    .venv/bin/python -m benchmarks.dashboards [--seconds 90]

Starts a server of its own, takes a backup and proves it, then sends requests for that long, with HAProxy and the
exporters beside it. Needs the Debian packages of tests/deploy/watching.py.
"""

import argparse
import importlib.util
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from benchmarks.api import CHECKOUT, scratch_server

PAGE = CHECKOUT / "docs/dashboards.md"
MARK = "<!-- written by benchmarks.dashboards -->\n"


def main() -> None:
    """Measure, and write the tables behind the mark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=90)
    wanted = parser.parse_args()
    os.environ["HEALTHCARE_ALLOWED_HOSTS"] = "127.0.0.1,localhost,app"
    with ExitStack() as stack:
        server, _ = stack.enter_context(scratch_server())
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="healthrecords-watch-")))
        tables = measure(server, folder, wanted.seconds)
    PAGE.write_text(PAGE.read_text().partition(MARK)[0] + MARK + tables)


def measure(server: str, folder: Path, seconds: int) -> str:
    """The tables, one for each dashboard."""
    import django

    django.setup()
    from compliance.audit import tasks as audit
    from healthrecords.accounts.models import ApiToken, Role
    from ops.maintenance import tasks as maintenance
    from ops.monitoring import encryption
    from tests.deploy.watching import load, watched

    for command in (("backup", "database"), ("backup", "test")):
        subprocess.run([sys.executable, "manage.py", *command], cwd=CHECKOUT, check=True)
    for nightly in (audit.verify, audit.reconcile, encryption.measure, maintenance.report):
        nightly()
    _, token = ApiToken.issue("benchmark", Role.objects.get(name="integrator"), [], 1)
    with (
        haproxy(folder, server) as door,
        watched(folder, server.removeprefix("http://"), f"127.0.0.1:{door.monitoring}") as prometheus,
    ):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            load(server, f"https://127.0.0.1:{door.secure}", token)
        return "".join(table(uid, row, prometheus) for uid, row in generator().rows().items())


@contextmanager
def haproxy(folder: Path, server: str) -> Iterator[Any]:
    """HAProxy before the server, with our configuration."""
    from tests.deploy.test_haproxy import Door

    secrets = folder / "secrets"
    subprocess.run(["sh", CHECKOUT / "deploy/secrets.sh", "localhost", secrets], check=True, capture_output=True)
    door = Door(CHECKOUT, folder, secrets, int(server.rpartition(":")[2]))
    try:
        yield door
    finally:
        door.process.kill()
        door.process.wait()


def generator() -> Any:
    """deploy/grafana/generate.py, which belongs to no package."""
    spec = importlib.util.spec_from_file_location("generate", CHECKOUT / "deploy/grafana/generate.py")
    if spec is None or spec.loader is None:
        raise SystemExit("deploy/grafana/generate.py is missing.")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def table(uid: str, row: dict[str, Any], prometheus: Any) -> str:
    """A dashboard's heading, and a line for each query of its panels."""
    head = f"\n## {uid}\n\n{row['title']}. {row['about']}\n\n| panel | query | series |\n| --- | --- | ---: |\n"
    return head + "".join(
        f"| {panel['title']} | `{cell(expression)}` | {len(prometheus.ask(expression))} |\n"
        for panel in row["panels"]
        for expression in panel["queries"].values()
    )


def cell(expression: str) -> str:
    """An expression on one line of a table."""
    return " ".join(expression.split()).replace("|", "\\|")


if __name__ == "__main__":
    main()
