"""What becomes of content when the store, the sender or a disk fails: nothing half-stored, nothing wrong given out."""

import io
import socket
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from documents import storage
from documents.models import Content, DocumentReference
from documents.sealing import CHUNK
from documents.storage import PART
from documents.tests.conftest import body, down
from documents.tests.samples import PDF, document, inline, noise
from healthrecords.fhir.outcome import FHIRError


@pytest.fixture(autouse=True)
def _own_client():
    yield
    storage.client.cache_clear()


class Full(BaseHTTPRequestHandler):
    """A store whose disk is full, as MinIO says it."""

    def do_PUT(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        said = b"<Error><Code>XMinioStorageFull</Code><Message>No space.</Message></Error>"
        self.send_response(507)
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    def log_message(self, *_):
        pass


@contextmanager
def silent():
    """A store that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


@contextmanager
def full():
    server = HTTPServer(("127.0.0.1", 0), Full)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def told(answer):
    return answer.status_code, answer.json()["issue"][0]["diagnostics"]


@pytest.mark.parametrize("store", [down, silent])
def test_a_store_that_does_not_answer_is_told_within_two_seconds(integrator, uploader, store_at, store):
    path = uploader.new(PDF)
    with store() as endpoint, store_at(S3_ENDPOINT=endpoint):
        for attempt in (
            lambda: uploader.send(PDF),
            lambda: uploader.send(noise(PART * 2)),
            lambda: uploader.get(path),
            lambda: uploader.get(path, Range="bytes=0-1"),
            lambda: integrator.post("DocumentReference", document(attachment=inline())),
        ):
            assert told(attempt()) == (503, "The document store does not answer; try again shortly.")
    assert Content.objects.count() == 1
    assert DocumentReference.objects.count() == 0
    assert sum(storage.PATIENCE) < 2


def test_documents_stay_readable_while_the_store_is_down(integrator, store_at):
    stored = integrator.create(document(attachment=inline()))
    with down() as endpoint, store_at(S3_ENDPOINT=endpoint):
        assert integrator.get(f"DocumentReference/{stored['id']}").json() == stored
        assert integrator.get("DocumentReference?patient=p1").status_code == 200


def test_wrong_credentials_are_told_apart(uploader, store_at):
    for changed in ({"S3_SECRET_KEY": "x" * 40}, {"S3_ACCESS_KEY": "somebody-else"}):
        with store_at(**changed):
            status, text = told(uploader.send(PDF))
        assert (status, "refuses this server's credentials" in text) == (503, True)
    assert Content.objects.count() == 0


def test_a_full_store_is_told_apart(uploader, store_at):
    with full() as endpoint, store_at(S3_ENDPOINT=endpoint):
        assert told(uploader.send(PDF)) == (503, "The document store is full; the operator must make room.")


@pytest.mark.parametrize("size", [1000, PART * 3])
def test_an_upload_that_ends_early_leaves_nothing(uploader, objects, size):
    answer = uploader.caller.client.generic(
        "POST", "/fhir/Binary", noise(size), content_type="a/b", CONTENT_LENGTH=str(size + 1),
        headers={"Authorization": f"Bearer {uploader.caller.token}"},
        **{"wsgi.input": Cut(size)},
    )  # fmt: skip
    assert (answer.status_code, "nothing of it was kept" in told(answer)[1]) == (400, True)
    assert (objects(), uploads(), Content.objects.count()) == ([], [], 0)


class Cut(io.RawIOBase):
    """A connection that the sender closes after `size` bytes."""

    def __init__(self, size):
        self.left = size

    def read(self, size=-1):
        given = min(self.left, size)
        self.left -= given
        return bytes(given)


def uploads():
    """Uploads that were begun and neither completed nor aborted."""
    from django.conf import settings

    return storage.client().list_multipart_uploads(Bucket=settings.S3_BUCKET).get("Uploads", [])


def test_a_sender_that_fails_in_the_middle_of_the_parts_leaves_nothing(objects):
    def pieces():
        yield bytes(PART * 2)
        raise RuntimeError("gone")

    with pytest.raises(RuntimeError):
        storage.put(storage.new_name(), pieces())
    assert (objects(), uploads()) == ([], [])


def damage(change):
    """Replace the one object in the store by what `change` makes of it."""
    from django.conf import settings

    name = Content.objects.latest("created_at").object_name
    sealed = b"".join(storage.get(name))
    storage.client().put_object(Bucket=settings.S3_BUCKET, Key=name, Body=change(sealed))


def flipped(at):
    return lambda sealed: sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :]


STEP = CHUNK + 16
DAMAGES = {
    "a bit of the header": flipped(3),
    "a bit of the first chunk": flipped(100),
    "cut": lambda sealed: sealed[:-17],
    "appended": lambda sealed: sealed + bytes(STEP),
    "empty": lambda _: b"",
    "plain": lambda _: PDF,
}
LONG = {
    **DAMAGES,
    "cut to a chunk": lambda sealed: sealed[: 16 + STEP],
    "swapped chunks": lambda sealed: sealed[:16] + sealed[16 + STEP : 16 + 2 * STEP] + sealed[16 : 16 + STEP],
}  # fmt: skip


def served(answer):
    """What leaves until the answer ends or breaks off."""
    got = b""
    try:
        for piece in answer.streaming_content:
            got += piece
    except FHIRError:
        return got, "broken off"
    return got, "complete"


@pytest.mark.parametrize("damaged", DAMAGES)
def test_a_changed_object_of_one_chunk_is_refused_before_a_byte_leaves(uploader, damaged):
    path = uploader.new(PDF * 10)
    damage(DAMAGES[damaged])
    status, text = told(uploader.get(path))
    assert (status, "not what was sent" in text) == (500, True)


@pytest.mark.parametrize("size", [2 * CHUNK, 3 * CHUNK + 5])
@pytest.mark.parametrize("damaged", LONG)
def test_a_changed_object_of_many_chunks_is_never_given_out_whole(uploader, size, damaged):
    sent = noise(size)
    path = uploader.new(sent)
    damage(LONG[damaged])
    answer = uploader.get(path)
    if answer.status_code == 200:
        got, end = served(answer)
        assert (end, len(got) < size, sent.startswith(got)) == ("broken off", True, True)
    else:
        assert (answer.status_code, "not what was sent" in told(answer)[1]) == (500, True)


def test_an_object_of_another_row_is_not_given_out(uploader):
    paths = [uploader.new(PDF), uploader.new(PDF)]
    first, second = Content.objects.order_by("created_at")
    theirs = b"".join(storage.get(second.object_name))
    storage.put(first.object_name, [theirs])
    assert uploader.get(paths[0]).status_code == 500
    assert body(uploader.get(paths[1])) == PDF


def test_content_whose_checksum_is_not_the_row_s_is_not_given_out(uploader):
    path = uploader.new(PDF)
    Content.objects.update(sha256=bytes(32))
    assert uploader.get(path).status_code == 500
    path = uploader.new(noise(CHUNK * 3))
    Content.objects.filter(size=CHUNK * 3).update(sha256=bytes(32))
    got, end = served(uploader.get(path))
    assert (end, len(got)) == ("broken off", CHUNK * 2)


def test_a_changed_chunk_is_not_given_out_as_a_range(uploader):
    path = uploader.new(noise(CHUNK * 3))
    damage(flipped(16 + STEP + 5))
    assert uploader.get(path, Range=f"bytes={CHUNK}-{CHUNK + 1}").status_code == 500
    assert uploader.get(path, Range="bytes=0-1").status_code == 206


def test_an_object_that_is_gone_is_told(uploader):
    path = uploader.new(PDF)
    storage.remove(Content.objects.get().object_name)
    assert told(uploader.get(path)) == (500, "The content is missing in the document store; tell the operator.")
