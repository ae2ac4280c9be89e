"""Each hostile file at the API: refused with its sentence, or stored and given out so that it can do nothing."""

import json
from pathlib import Path

import pytest

from documents.models import Content
from documents.tests import hostile
from documents.tests.conftest import body
from documents.tests.samples import document
from documents.tests.scanners import EICAR

ROOT = Path(__file__).parents[2]


def _parameters():
    for row in hostile.ROWS:
        yield pytest.param(row, id=row.name, marks=[pytest.mark.needs("clamd")] if row.scanned else [])


def _sent(uploader, row):
    if row.attachment:
        attachment = {"contentType": "application/pdf", **row.attachment}
        return uploader.caller.post("DocumentReference", document(attachment=attachment))
    if row.as_json:
        sent = {"resourceType": "Binary", "contentType": row.declared, "data": hostile.inline(row.build())}
        return uploader.caller.post("Binary", sent)
    return uploader.send(row.build(), row.declared)


@pytest.mark.parametrize("row", list(_parameters()))
def test_a_hostile_file_does_nothing(row, uploader, objects, request):
    if row.scanned:
        request.getfixturevalue("real_scanner")
    answer = _sent(uploader, row)
    if row.says:
        assert answer.status_code == row.status, answer.content
        assert any(row.says in issue["diagnostics"] for issue in answer.json()["issue"]), answer.content
        assert (objects(), Content.objects.count()) == ([], 0)
    elif row.attachment:
        stored = answer.json()["content"][0]["attachment"]
        assert {name: stored[name] for name in row.attachment} == row.attachment
    else:
        assert answer.status_code == 201, answer.content
        _is_harmless(uploader, f"Binary/{answer.json()['id']}", row)


def _is_harmless(uploader, path, row):
    answer = uploader.get(path)
    assert body(answer) == row.build()
    assert answer["Content-Type"] == (row.served or row.declared)
    assert answer["Content-Disposition"] == "attachment"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert answer["Cross-Origin-Resource-Policy"] == "same-origin"
    assert json.loads(body(uploader.get(path, Accept="application/fhir+json")))["contentType"] == row.declared


def test_there_are_enough_of_them():
    assert len(hostile.ROWS) >= 40
    assert len({row.name for row in hostile.ROWS}) == len(hostile.ROWS)


def test_the_table_of_the_documentation_is_that_of_the_tests():
    page = (ROOT / "docs/security/documents.md").read_text()
    assert hostile.table() in page


def test_the_refusal_of_a_document_names_the_limit_too(integrator, objects):
    attachment = {"contentType": "image/png", "data": hostile.inline(hostile.png())}
    answer = integrator.post("DocumentReference", document(attachment=attachment))
    assert (answer.status_code, "50000 x 50000" in answer.json()["issue"][0]["diagnostics"]) == (422, True)
    assert objects() == []


def test_no_file_of_the_repository_is_taken_for_a_virus():
    for path in (ROOT / "documents").rglob("*.py"):
        assert EICAR not in path.read_bytes()
