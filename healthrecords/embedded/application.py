"""The application's own processes and the steps before them, as child processes: nothing here imports Django."""

import hashlib
import http.client
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from .datadir import CHECKOUT
from .home import Home
from .process import Program

_WORKER = ("--loglevel=INFO", "--without-gossip", "--without-mingle")
_BIN = Path(sys.executable).parent


def environment(stores: Mapping[str, str]) -> dict[str, str]:
    """Return what a child of the application sees: our surroundings, and the stores on top of them."""
    return {**os.environ, **stores, "PYTHONUNBUFFERED": "1", "DJANGO_SETTINGS_MODULE": "healthrecords.settings"}


def manage(name: str, arguments: tuple[str, ...], variables: Mapping[str, str]) -> Program:
    """Return one `manage.py` command as a program whose log is called `name`."""
    return Program(name, (sys.executable, "manage.py", *arguments), variables, CHECKOUT)


def processes(home: Home, port: int, variables: dict[str, str]) -> tuple[Program, ...]:
    """Return the web server, the workers, and the timetable, in the order in which they start."""
    celery = (str(_BIN / "celery"), "-A", "healthrecords.celery")
    return (
        Program(
            name="gunicorn",
            argv=(str(_BIN / "gunicorn"), "-c", "deploy/gunicorn.conf.py", "healthrecords.wsgi"),
            environment=variables | {"HEALTHCARE_BIND": f"127.0.0.1:{port}", "HEALTHCARE_TEMPORARY": f"{home / 'run'}"},
            folder=CHECKOUT,
        ),
        Program(
            name="worker",
            argv=(*celery, "worker", "--concurrency=2", *_WORKER),
            environment=variables,
            folder=CHECKOUT,
        ),
        Program(
            name="worker-long",
            argv=(*celery, "worker", "--concurrency=1", "--queues=long", "--hostname=long@%h", *_WORKER),
            environment=variables,
            folder=CHECKOUT,
        ),
        Program(
            name="beat",
            argv=(*celery, "beat", "--loglevel=INFO", "--pidfile="),
            environment=variables,
            folder=CHECKOUT,
        ),
    )


def receiver(variables: Mapping[str, str]) -> Program:
    """Return the receiver of the write-ahead log; with synchronous receipt every commit waits for it."""
    return manage("receiver", ("backup", "receive"), variables)


def healthy(port: int) -> bool:
    """Whether `/health` answers 200."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def static_fingerprint() -> str:
    """Return a hash of what the collected static files depend on: our own files, and the packages that bring others."""
    digest = hashlib.sha256((CHECKOUT / "requirements.txt").read_bytes())
    for path in sorted(_static_files()):
        facts = path.stat()
        digest.update(f"{path.relative_to(CHECKOUT)} {facts.st_size} {facts.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def _static_files() -> Iterator[Path]:
    for package in CHECKOUT.glob("*/__init__.py"):
        for folder in package.parent.rglob("static"):
            yield from (path for path in folder.rglob("*") if path.is_file())
