"""An operator with key files of their own, whose commands run as on the host."""

import shutil
import threading
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
    file = Path(shutil.copy(settings.FIELD_KEY_FILE, tmp_path / "field.key"))
    file.chmod(0o600)
    settings.FIELD_KEY_FILE = str(file)
    monkeypatch.setattr(keys, "LOOK_EVERY", 0.2)
    keys.FIELD.forget()
    yield file
    keys.FIELD.forget()


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
