"""Binary at the API: raw bytes in and out through the real store, sealed on the way."""

import base64
from pathlib import Path

import psycopg
import pytest
from django.db import connections

from documents import storage
from documents.models import Content
from documents.storage import PART
from documents.tests.conftest import body
from documents.tests.samples import PDF, document, inline, noise

LONG = PART * 2 + 12_345


def test_content_comes_back_as_it_was_sent(uploader):
    path = uploader.new(PDF)
    answer = uploader.get(path)
    assert answer.status_code == 200
    assert body(answer) == PDF
    assert answer["Content-Type"] == "application/pdf"
    assert answer["Content-Length"] == str(len(PDF))


@pytest.mark.parametrize("size", [1, 262_144, 262_145, PART, LONG])
def test_content_of_many_chunks_and_parts_comes_back(uploader, size):
    sent = noise(size)
    assert body(uploader.get(uploader.new(sent, "application/octet-stream"))) == sent


def test_the_answer_names_the_address_and_leaves_the_content_out(uploader):
    answer = uploader.send(PDF)
    assert answer.json() == {
        "resourceType": "Binary",
        "id": answer.json()["id"],
        "meta": answer.json()["meta"],
        "contentType": "application/pdf",
    }
    assert answer["Location"].endswith(f"/fhir/Binary/{answer.json()['id']}")


def test_a_binary_in_json_is_stored_and_given_back_as_such(uploader):
    sent = {"resourceType": "Binary", "contentType": "text/plain", "data": base64.b64encode(b"hello you").decode()}
    answer = uploader.caller.post("Binary", sent)
    assert answer.status_code == 201
    path = f"Binary/{answer.json()['id']}"
    assert body(uploader.get(path)) == b"hello you"
    for asked in ({"Accept": "application/fhir+json"}, {"Accept": "text/html, application/json;q=0.9"}):
        import json

        got = json.loads(body(uploader.get(path, **asked)))
        assert {name: value for name, value in got.items() if name not in ("id", "meta")} == sent
    assert body(uploader.get(f"{path}?_format=json")).startswith(b"{")


def test_long_content_is_base64_without_a_seam(uploader):
    import json

    sent = noise(700_001)
    got = json.loads(body(uploader.get(uploader.new(sent), Accept="application/fhir+json")))
    assert base64.b64decode(got["data"], validate=True) == sent


@pytest.mark.parametrize(
    ("asked", "start", "end"),
    [("bytes=0-0", 0, 1), ("bytes=300000-600000", 300_000, 600_001), ("bytes=-5", LONG - 5, LONG),
     ("bytes=262144-", 262_144, LONG), (f"bytes={LONG - 1}-99999999999", LONG - 1, LONG)],
)  # fmt: skip
def test_a_range_comes_alone(uploader, asked, start, end):
    sent = noise(LONG)
    answer = uploader.get(uploader.new(sent), Range=asked)
    assert answer.status_code == 206
    assert answer["Content-Range"] == f"bytes {start}-{end - 1}/{LONG}"
    assert body(answer) == sent[start:end]


def test_a_range_beyond_the_end_is_refused_with_the_size(uploader):
    answer = uploader.get(uploader.new(PDF), Range="bytes=5000-")
    assert (answer.status_code, answer["Content-Range"]) == (416, f"bytes */{len(PDF)}")
    assert answer.json()["resourceType"] == "OperationOutcome"


@pytest.mark.parametrize("asked", ["bytes=5-2", "bytes=0-1,3-4", "lines=1-2", "bytes=-", "bytes=a-b"])
def test_a_range_that_is_none_gets_the_whole(uploader, asked):
    answer = uploader.get(uploader.new(PDF), Range=asked)
    assert (answer.status_code, body(answer)) == (200, PDF)


def test_a_range_of_other_content_gets_the_whole(uploader):
    path = uploader.new(PDF)
    tag = uploader.get(path)["ETag"]
    assert uploader.get(path, Range="bytes=0-1", If_Range=tag).status_code == 206
    assert uploader.get(path, Range="bytes=0-1", If_Range='"older"').status_code == 200


def test_content_that_the_client_has_is_not_sent_again(uploader):
    path = uploader.new(PDF)
    tag = uploader.get(path)["ETag"]
    answer = uploader.get(path, If_None_Match=tag)
    assert (answer.status_code, answer.content) == (304, b"")
    assert uploader.get(path, If_None_Match='"other"').status_code == 200


def test_a_head_tells_the_size_and_sends_nothing(uploader):
    path = uploader.new(PDF)
    answer = uploader.caller.send("HEAD", path)
    assert (answer.status_code, body(answer), answer["Content-Length"]) == (200, b"", str(len(PDF)))


def test_uploaded_script_is_data_to_a_browser(uploader):
    answer = uploader.get(uploader.new(b"<html><script>alert(1)</script>", "text/html"))
    assert answer["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert (answer["X-Content-Type-Options"], answer["Content-Disposition"]) == ("nosniff", "attachment")


def test_size_checksum_and_true_type_are_kept_beside_the_claim(uploader):
    import hashlib

    uploader.new(b"<html><body>", "application/pdf")
    row = Content.objects.get()
    assert (row.claimed_type, row.true_type, row.size) == ("application/pdf", "text/html", 12)
    assert bytes(row.sha256) == hashlib.sha256(b"<html><body>").digest()


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [(b"", "application/pdf", 400), (b"x", "", 400), (b"{}", "application/fhir+json", 400),
     (b'{"resourceType": "Binary", "contentType": "a/b"}', "application/fhir+json", 422),
     (b'{"resourceType": "Binary", "contentType": "a/b", "data": "???"}', "application/fhir+json", 422)],
)  # fmt: skip
def test_what_is_no_content_is_refused(uploader, objects, content, kind, status):
    answer = uploader.send(content, kind)
    assert (answer.status_code, answer.json()["resourceType"]) == (status, "OperationOutcome")
    assert (objects(), Content.objects.count()) == ([], 0)


def test_content_beyond_the_limit_is_refused_unread(uploader, objects, settings):
    settings.DOCUMENT_MAX_BYTES = 1024 * 1024
    assert uploader.send(bytes(1024 * 1024)).status_code == 201
    answer = uploader.send(bytes(1024 * 1024 + 1))
    assert (answer.status_code, len(objects())) == (413, 1)
    assert "1 MB" in answer.json()["issue"][0]["diagnostics"]


def test_content_does_not_change(uploader):
    path = uploader.new(PDF)
    for method in ("PUT", "PATCH", "DELETE"):
        assert uploader.caller.send(method, path, PDF, Content_Type="application/pdf").status_code == 405


def test_the_store_never_sees_the_content(uploader, store_folder):
    marker = b"marker-that-must-not-be-on-disk"
    path = uploader.new(marker * 20_000, "text/plain")
    sealed_name = Content.objects.get().object_name.encode()
    files = [each.read_bytes() for each in store_folder.rglob("*") if each.is_file()]
    assert not any(marker in each for each in files)
    assert any(sealed_name in each for each in files)  # the grep looks where the objects are
    assert body(uploader.get(path)).startswith(marker)


def test_the_name_in_the_store_says_nothing(uploader, objects):
    path = uploader.new(PDF)
    [name] = objects()
    assert path.removeprefix("Binary/") not in name
    assert len(name) == 40


def test_an_outsider_is_refused(uploader, outsider):
    assert outsider.get(uploader.new(PDF)).status_code == 401
    assert outsider.post("Binary", "x").status_code == 401


def test_a_role_without_documents_is_refused(uploader, operator):
    assert operator.get(uploader.new(PDF)).status_code == 403


def test_content_of_no_document_is_seen_by_its_sender_alone(uploader, uploader_with_role):
    path = uploader.new(PDF)
    answer = uploader_with_role("clinician").get(path)
    assert (answer.status_code, uploader.get(path).status_code) == (404, 200)
    assert answer.json() == uploader.get("Binary/0190f1f0-0000-7000-8000-000000000000").json()


@pytest.mark.parametrize("name", ["x", "..", "0190F1F0-0000-7000-8000-000000000000", "%00", "a" * 200])
def test_an_id_that_is_none_is_not_found(uploader, name):
    assert uploader.get(f"Binary/{name}").status_code == 404


def test_each_byte_that_leaves_has_its_row(uploader, trail):
    path = uploader.new(PDF)
    uploader.get(path)
    uploader.get(path, Range="bytes=0-1")
    uploader.caller.send("HEAD", path)
    rows = [(row.action, row.resources, row.outcome) for row in trail()]
    assert rows == [("create", [path], "success"), *[("read", [path], "success")] * 3]


def test_no_row_no_bytes(uploader, objects, broken_trail):
    answer = uploader.send(PDF)
    assert answer.status_code >= 500
    assert (objects(), Content.objects.count()) == ([], 0)


def test_no_row_no_download(uploader, request):
    path = uploader.new(PDF)
    request.getfixturevalue("broken_trail")
    answer = uploader.get(path)
    assert answer.status_code >= 500
    assert PDF not in body(answer)


def test_content_of_somebody_else_is_claimed_by_no_document(uploader, uploader_with_role):
    path, thief = uploader.new(PDF), uploader_with_role("clinician")
    said = [
        thief.caller.create(document(attachment={"contentType": "application/pdf", "url": url}))
        for url in (path, "Binary/0190f1f0-0000-7000-8000-000000000000")
    ]
    assert [each["content"][0]["attachment"].keys() for each in said] == [{"contentType", "url"}] * 2
    assert (thief.get(path).status_code, Content.objects.get().uses.count()) == (404, 0)
    assert body(uploader.get(path)) == PDF
    uploader.caller.create(document(attachment={"contentType": "application/pdf", "url": path}))
    assert body(thief.get(path)) == PDF


def test_the_header_of_somebody_else_s_content_fills_nothing(uploader, uploader_with_role):
    ccd = (Path(__file__).parent / "data" / "summary.xml").read_bytes()
    attachment = {"url": uploader.new(ccd, "text/xml")}
    bare = {"resourceType": "DocumentReference", "status": "current", "subject": {"reference": "Patient/p1"},
            "content": [{"attachment": attachment}]}  # fmt: skip
    assert "type" not in uploader_with_role("clinician").caller.create(bare)
    assert "type" in uploader.caller.create(bare)


def test_content_inside_a_document_has_its_sender(integrator):
    integrator.create(document(attachment=inline()))
    assert (Content.objects.get().author_kind, Content.objects.get().author) == ("token", "integrator token")


LOCKS = """
SELECT DISTINCT mode FROM pg_locks WHERE granted AND locktype <> 'virtualxid' AND mode <> 'AccessShareLock'
AND pid IN (SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in%')
"""


@pytest.mark.django_db(transaction=True)
def test_no_lock_that_others_wait_for_is_held_while_a_document_s_content_is_stored(integrator, monkeypatch, objects):
    put, seen = storage.put, []

    def look(name, sealed):
        with psycopg.connect(**connections["default"].get_connection_params() | {"cursor_factory": None}) as other:
            seen.append({mode for (mode,) in other.execute(LOCKS)})
        put(name, sealed)

    monkeypatch.setattr(storage, "put", look)
    two = {"content": [{"attachment": inline()}, {"attachment": inline()}]}
    made = integrator.create({**document(attachment=inline()), **two})
    assert seen == [set(), set()]
    assert integrator.put(f"DocumentReference/{made['id']}", {**made, **two}).status_code == 200
    assert seen[2:] == [{"RowShareLock", "ExclusiveLock"}] * 2  # the row of this document, the transaction itself
