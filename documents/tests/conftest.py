"""The store itself, as somebody with its disk sees it."""

import json
import os
import socket
from contextlib import contextmanager
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from documents import checking, storage
from documents.tests.scanners import clamd_running


class Uploader:
    """Sends and fetches raw content for a caller of the API."""

    def __init__(self, caller):
        self.caller = caller

    def send(self, content, kind="application/pdf", **headers):
        return self.caller.send("POST", "Binary", content, Content_Type=kind, **headers)

    def new(self, content, kind="application/pdf"):
        """Send content and return its path."""
        answer = self.send(content, kind)
        assert answer.status_code == 201, answer.content
        return f"Binary/{answer.json()['id']}"

    def get(self, path, **headers):
        return self.caller.get(path, **headers)


def body(answer):
    """The bytes of an answer, streamed or not."""
    return b"".join(answer.streaming_content) if answer.streaming else answer.content


@contextmanager
def down():
    """The address of a store that is not there."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    yield f"http://127.0.0.1:{port}"


@pytest.fixture(autouse=True)
def own_objects(monkeypatch):
    """Let a test process see its own objects alone: all processes share one bucket, and tests list and empty it."""
    mine = f"{int(os.environ.get('PYTEST_XDIST_WORKER', 'gw0').removeprefix('gw')):08x}"
    new_name, names, unfinished = storage.new_name, storage.names, storage.unfinished
    monkeypatch.setattr(storage, "new_name", lambda: mine + new_name()[len(mine) :])
    monkeypatch.setattr(storage, "names", lambda: (each for each in names() if each[0].startswith(mine)))
    monkeypatch.setattr(storage, "unfinished", lambda t: (name for name in unfinished(t) if name.startswith(mine)))


@pytest.fixture
def uploader(integrator):
    return Uploader(integrator)


@pytest.fixture
def uploader_with_role(caller_with_role):
    return lambda role: Uploader(caller_with_role(role))


@pytest.fixture
def objects(db):
    """The names of the objects that a test has left in the store so far; they are removed after it."""
    before = {name for name, _ in storage.names()}

    def left():
        return sorted({name for name, _ in storage.names()} - before)

    yield left
    for name in left():
        storage.remove(name, unlock=True)


@pytest.fixture
def store_folder():
    """Where the store keeps its data on disk."""
    return Path(os.environ["HEALTHCARE_DATA_DIR"]) / "seaweedfs" / "data"


@pytest.fixture(scope="session")
def _clamd(tmp_path_factory):
    with clamd_running(tmp_path_factory.mktemp("clamd")) as address:
        yield address


@pytest.fixture
def real_scanner(_clamd, settings):
    """The address of clamd, configured as the scanner."""
    settings.CLAMAV = _clamd
    return _clamd


@pytest.fixture
def at_once(monkeypatch, objects):
    """Nothing is left of earlier tests, and an object counts from its first moment on."""
    for name, _ in storage.names():
        storage.remove(name, unlock=True)
    monkeypatch.setattr(checking, "UNDERWAY", timedelta(seconds=-5))


@pytest.fixture
def run(db):
    """Run a verb of `documents`; return its exit code and its answer."""

    def run(*argv):
        out, err = StringIO(), StringIO()
        try:
            call_command("documents", *argv, "--json", stdout=out, stderr=err)
            code = 0
        except CommandError as end:
            code = end.returncode
        return code, json.loads(out.getvalue())

    return run


@pytest.fixture
def store_at(settings):
    """Point the application at another store, or at the same one by other credentials."""

    @contextmanager
    def point(**changed):
        for name, value in changed.items():
            setattr(settings, name, value)
        storage.client.cache_clear()
        yield

    yield point
    storage.client.cache_clear()
