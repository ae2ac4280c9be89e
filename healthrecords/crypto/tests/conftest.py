"""An operator with key files of their own, whose commands run as on the host."""

import shutil
import threading
from contextlib import contextmanager
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connections

from healthrecords.crypto import keys


class InThread(threading.Thread):
    """Work beside the test, with database connections of its own."""

    def __init__(self, work):
        super().__init__(daemon=True)
        self.work, self.outcome = work, None
        self.start()

    def run(self):
        try:
            self.outcome = self.work()
        finally:
            connections.close_all()

    def result(self):
        self.join(60)
        return self.outcome


@pytest.fixture
def key_file(settings, tmp_path, monkeypatch):
    """A copy of the tests' field key file, in a folder of its own; what a process has read is forgotten around it."""
    with copied(keys.FIELD, "FIELD_KEY_FILE", settings, folder=tmp_path, monkeypatch=monkeypatch) as file:
        yield file


@pytest.fixture
def index_file(settings, tmp_path, monkeypatch):
    """The same of the index key file."""
    with copied(keys.INDEX, "INDEX_KEY_FILE", settings, folder=tmp_path, monkeypatch=monkeypatch) as file:
        yield file


@contextmanager
def copied(read, setting, settings, *, folder, monkeypatch):
    """Let `setting` name a copy of its key file; `read` is what a process remembers of it."""
    file = Path(shutil.copy(getattr(settings, setting), folder))
    file.chmod(0o600)
    setattr(settings, setting, str(file))
    monkeypatch.setattr(keys, "LOOK_EVERY", 0.2)
    read.forget()
    yield file
    read.forget()


@pytest.fixture
def run(db, key_file):
    """Run a command; return its exit code, stdout and stderr."""

    def run(*argv):
        out, err = StringIO(), StringIO()
        try:
            call_command(*argv, stdout=out, stderr=err)
        except Exception as ended:
            return getattr(ended, "returncode", None) or ended.exit_code, out.getvalue(), err.getvalue() or str(ended)
        return 0, out.getvalue(), err.getvalue()

    return run
