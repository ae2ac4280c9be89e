"""Legal holds and retention: who held what and why stays known, and content stays while either keeps it."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import DatabaseError, transaction
from django.utils import timezone

from documents import contents, holding, storage
from documents.models import Content, DocumentReference, HoldEntry
from documents.storage import StoreFault
from documents.tests.conftest import body
from documents.tests.samples import PDF, document, inline
from healthrecords.cli import host_request

BY = host_request("test")


@pytest.fixture
def letter(integrator, objects):
    """A stored document with content of its own."""
    return integrator.create(document(attachment=inline()))


@pytest.fixture
def row(letter):
    return DocumentReference.objects.get(logical_id=letter["id"])


def test_a_hold_and_its_release_are_told_and_recorded(run, letter, trail):
    assert run("hold", letter["id"], "--reason", "Case 12")[0] == 0
    told = run("holds")[1]["holds"]
    assert [(each["document"], each["reason"]) for each in told] == [(letter["id"], "Case 12")]
    assert run("release", letter["id"], "--reason", "Case closed")[0] == 0
    assert run("holds")[1]["holds"] == []
    said = [(e.patient, e.detail) for e in trail(action="update") if e.detail.startswith("legal hold")]
    assert said == [("p1", "legal hold placed"), ("p1", "legal hold released")]
    assert [(e.held, e.reason) for e in HoldEntry.objects.order_by("number")] == [
        (True, "Case 12"),
        (False, "Case closed"),
    ]


def test_a_second_hold_a_release_of_nothing_and_no_reason_are_refused(run, letter):
    assert run("release", letter["id"], "--reason", "x")[1]["summary"] == "The document is not held."
    assert run("hold", letter["id"], "--reason", " ")[1]["summary"] == "State the reason."
    run("hold", letter["id"], "--reason", "x")
    assert run("hold", letter["id"], "--reason", "x")[1]["summary"] == "The document is held already."
    assert run("hold", "nowhere", "--reason", "x") == (2, run("release", "nowhere", "--reason", "x")[1])
    assert HoldEntry.objects.count() == 1


def test_the_history_of_holds_is_not_changed(row):
    holding.place_hold(row, "x", BY)
    for change in (lambda: HoldEntry.objects.update(reason="y"), lambda: HoldEntry.objects.all().delete()):
        with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
            change()


def test_a_hold_that_the_trail_does_not_take_is_none(row, broken_trail):
    with pytest.raises(DatabaseError):
        holding.place_hold(row, "x", BY)
    assert holding.hold_on(row) is None


def test_the_content_of_a_deleted_document_stays(integrator, letter, row):
    name = Content.objects.get().object_name
    assert integrator.delete(f"DocumentReference/{letter['id']}").status_code == 204
    assert integrator.get(f"DocumentReference/{letter['id']}").status_code == 410
    assert integrator.get(letter["content"][0]["attachment"]["url"]).status_code == 404
    assert storage.size(name) > 0
    assert b"".join(contents.whole(Content.objects.get())) == PDF
    assert holding.place_hold(row, "also once it is deleted", BY).held


def test_content_is_retained_from_the_later_of_its_date_and_its_arrival(row, settings):
    settings.DOCUMENT_RETENTION_YEARS = 7
    assert holding.kept(row).until.year == row.created_at.year + 7
    row.date_until = row.created_at + timedelta(days=800)
    assert holding.kept(row).until.year == row.date_until.year + 7
    assert not holding.kept(row).may_go


def test_a_retention_only_gets_longer(row):
    before = holding.kept(row).until.date()
    longer = before + timedelta(days=400)
    holding.retain_until(row, longer, "a minor", BY)
    assert holding.kept(row).until.date() == longer
    for shorter in (before, longer):
        with pytest.raises(ValidationError, match="only gets longer"):
            holding.retain_until(row, shorter, "x", BY)
    with pytest.raises(ValidationError, match="within the next 100 years"):
        holding.retain_until(row, longer.replace(year=longer.year + 100), "x", BY)


def test_a_document_is_retained_longer_by_a_command(run, letter, row, trail):
    assert run("retain", letter["id"], "--until", "2060-12-31", "--reason", "a minor")[0] == 0
    assert holding.kept(row).until.isoformat() == "2060-12-31T00:00:00+00:00"
    code, said = run("retain", letter["id"], "--until", "2050-12-31", "--reason", "a mistake")
    assert (code, said["summary"]) == (2, "A retention only gets longer; name a day after 2060-12-31.")
    assert [each.detail for each in trail(action="update")] == ["retained until 2060-12-31"]


@pytest.mark.parametrize(("held", "age", "goes"), [(False, -1, True), (False, 1, False), (True, -1, False)])
def test_content_may_go_once_neither_hold_nor_retention_keeps_it(held, age, goes):
    kept = holding.Kept(HoldEntry() if held else None, timezone.now() + timedelta(days=age))
    assert kept.may_go is goes


def test_the_store_keeps_what_is_held(locking_bucket, integrator):
    made = integrator.create(document(attachment=inline()))
    row, content = DocumentReference.objects.get(logical_id=made["id"]), Content.objects.get()
    holding.place_hold(row, "x", BY)
    with pytest.raises(StoreFault):
        storage.remove(content.object_name)
    assert body(integrator.get(made["content"][0]["attachment"]["url"])) == PDF
    holding.release_hold(row, "x", BY)
    storage.remove(content.object_name)
    with pytest.raises(storage.Missing):
        storage.size(content.object_name)


def test_what_two_held_documents_point_to_is_kept_until_both_are_released(locking_bucket, integrator):
    url = integrator.create(document(attachment=inline()))["content"][0]["attachment"]["url"]
    integrator.create(document(attachment={"contentType": "application/pdf", "url": url}))
    first, second = DocumentReference.objects.order_by("created_at")
    for each in (first, second):
        holding.place_hold(each, "x", BY)
    holding.release_hold(first, "x", BY)
    with pytest.raises(StoreFault):
        storage.remove(Content.objects.get().object_name)
    holding.release_hold(second, "x", BY)


def test_the_store_keeps_what_a_held_document_comes_to_point_to(locking_bucket, integrator):
    made = integrator.create(document())
    holding.place_hold(DocumentReference.objects.get(), "x", BY)
    changed = {**document(attachment=inline()), "id": made["id"]}
    assert integrator.put(f"DocumentReference/{made['id']}", changed).status_code == 200
    with pytest.raises(StoreFault):
        storage.remove(Content.objects.get().object_name)


def test_a_bucket_without_lock_is_told(run, letter):
    assert "no object lock" in run("check")[1]["summary"]
    assert "no object lock" in run("hold", letter["id"], "--reason", "x")[1]["summary"]
