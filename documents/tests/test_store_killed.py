"""A store of its own that is killed, or stands still, in the middle of an upload and of a download, and comes back."""

import io
import os
import shutil
import signal
import tempfile
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings

from documents import mending, storage
from documents.models import Content
from documents.storage import PART
from documents.tests.conftest import body
from documents.tests.samples import PDF, document, inline, noise
from healthrecords.embedded.credentials import credentials
from healthrecords.embedded.home import Home
from healthrecords.embedded.ports import kept_ports
from healthrecords.embedded.process import spawn
from healthrecords.embedded.seaweedfs import PORTS, SeaweedFS
from healthrecords.embedded.signals import StopSignal
from healthrecords.embedded.supervisor import Supervisor
from healthrecords.fhir.outcome import FHIRError

SIZE = PART * 8  # more than the buffers on the way hold


class OwnStore:
    """SeaweedFS by the code of `make run`, in a temporary directory."""

    def __init__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="healthrecords-tests-"))
        self.home = Home(self.folder)
        self.home.prepare()
        ports = kept_ports(self.home / "ports.json", PORTS)
        self.store = SeaweedFS(self.home, ports, credentials(self.home))
        self.store.prepare()
        self.supervisor = Supervisor(self.home, StopSignal(), print)
        self.start()

    def start(self):
        self.child = spawn(self.store.program(), self.home.logs, self.home.records)
        self.supervisor.wait_for("SeaweedFS", self.store.ready, 60)

    def kill(self):
        self.child.sweep()

    @contextmanager
    def still(self):
        """It takes connections and does nothing."""
        os.killpg(self.child.popen.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.killpg(self.child.popen.pid, signal.SIGCONT)


@pytest.fixture(scope="module")
def _own_store():
    store = OwnStore()
    yield store
    store.kill()
    shutil.rmtree(store.folder, ignore_errors=True)


@pytest.fixture
def _elsewhere(_own_store):
    """The application is at that store; it is led back last of all, since emptying the store asks for a client, too."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(settings, "S3_ENDPOINT", _own_store.store.endpoint)
        patch.setattr(settings, "S3_ACCESS_KEY", _own_store.store.access_key)
        patch.setattr(settings, "S3_SECRET_KEY", _own_store.store.secret_key)
        storage.client.cache_clear()
        if not _own_store.child.alive:
            _own_store.start()
        yield
    storage.client.cache_clear()


@pytest.fixture
def store(_own_store, _elsewhere, monkeypatch, at_once):
    """The store that the application uses in this test."""
    monkeypatch.setattr(mending, "UPLOADS_AFTER", timedelta(seconds=-5))
    monkeypatch.setattr("documents.management.commands.documents.timedelta", lambda **_: timedelta(seconds=-5))
    return _own_store


class Sender(io.RawIOBase):
    """A body of SIZE bytes in the middle of which something happens."""

    def __init__(self, happens):
        self.left, self.happens = SIZE, happens

    def read(self, size=-1):
        given = min(self.left, size)
        self.left -= given
        if self.left <= SIZE // 2 and self.happens:
            self.happens, happens = None, self.happens
            happens()
        return bytes(given)


def send(uploader, happens):
    return uploader.caller.client.generic(
        "POST", "/fhir/Binary", b"x", content_type="a/b", CONTENT_LENGTH=str(SIZE),
        headers={"Authorization": f"Bearer {uploader.caller.token}"}, **{"wsgi.input": Sender(happens)},
    )  # fmt: skip


def is_clean(run):
    """Whether, once the leftovers are mended, store and records fit together.

    A store that stood still may take what nobody waits for any more a moment after it was mended.
    """
    return any(run("mend")[0] == 0 and run("check")[0] == 0 for _ in range(3))


def test_a_store_killed_during_an_upload_leaves_nothing_that_mend_does_not_clear(store, uploader, run):
    path = uploader.new(PDF)
    answer = send(uploader, store.kill)
    assert answer.status_code == 503
    assert answer.json()["issue"][0]["diagnostics"] == "The document store does not answer; try again shortly."
    assert Content.objects.count() == 1
    store.start()
    assert is_clean(run)
    assert body(uploader.get(path)) == PDF


def test_a_store_killed_during_a_download_breaks_it_off(store, uploader, run):
    sent = noise(SIZE)
    path = uploader.new(sent)
    pieces = uploader.get(path).streaming_content
    next(pieces)
    store.kill()
    with pytest.raises(FHIRError, match="does not answer"):
        list(pieces)
    assert uploader.get(path).status_code == 503
    store.start()
    assert body(uploader.get(path)) == sent
    assert is_clean(run)


def test_a_store_that_stands_still_is_told_and_its_documents_stay_readable(store, uploader, integrator, run):
    made = integrator.create(document(attachment=inline()))
    path = made["content"][0]["attachment"]["url"]
    with store.still():
        assert uploader.get(path).status_code == 503
        assert uploader.send(PDF).status_code == 503
        assert integrator.get(f"DocumentReference/{made['id']}").json() == made
    assert body(uploader.get(path)) == PDF
    assert Content.objects.count() == 1
    assert is_clean(run)


def test_a_store_that_stands_still_during_an_upload_is_told(store, uploader, run):
    stopped = store.still()
    answer = send(uploader, stopped.__enter__)
    stopped.__exit__(None, None, None)
    assert (answer.status_code, Content.objects.count()) == (503, 0)
    assert is_clean(run)
