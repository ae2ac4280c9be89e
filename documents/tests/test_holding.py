"""Legal holds and retention: who held what and why stays known, and content stays while either keeps it."""

from datetime import timedelta

import pytest
from botocore.exceptions import ClientError
from django.core.exceptions import ValidationError
from django.db import DatabaseError, transaction
from django.utils import timezone

from documents import contents, holding, storage
from documents.models import Content, DocumentReference, HoldEntry
from documents.tests.conftest import down
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


def test_a_document_of_the_last_of_years_is_retained(integrator, objects):
    integrator.create(document(attachment=inline(), date="9999-12-31T00:00:00Z"))
    assert holding.kept(DocumentReference.objects.get()).until.year == 9999


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


def lock_of(content):
    """Whether the store holds an object, and until when it retains it."""
    found = storage._head(content.object_name)
    return found["ObjectLockLegalHoldStatus"], found["ObjectLockRetainUntilDate"]


def test_the_store_keeps_what_is_filed_until_its_retention_ends(row, run):
    content = Content.objects.get()
    until = holding.kept(row).until.replace(microsecond=0)
    assert lock_of(content) == ("OFF", until)
    with pytest.raises(storage.Locked):
        storage.remove(content.object_name)
    holding.retain_until(row, until.date() + timedelta(days=400), "a minor", BY)
    assert lock_of(content)[1].date() == until.date() + timedelta(days=400)
    assert b"".join(contents.whole(content)) == PDF
    assert "The store locks what is filed and held." in run("holds")[1]["summary"]


def test_a_retention_in_the_store_only_gets_longer(row):
    content = Content.objects.get()
    until = lock_of(content)[1]
    storage.retain(content.object_name, until - timedelta(days=1))
    assert lock_of(content)[1] == until


def test_the_store_keeps_what_is_held(row):
    content = Content.objects.get()
    holding.place_hold(row, "x", BY)
    assert lock_of(content)[0] == "ON"
    override = {"VersionId": next(storage._versions(content.object_name)), "BypassGovernanceRetention": True}
    with pytest.raises(ClientError, match="AccessDenied"):  # also for who may override a retention
        storage.client().delete_object(**storage._at(content.object_name), **override)
    holding.release_hold(row, "x", BY)
    assert lock_of(content)[0] == "OFF"


def test_what_two_held_documents_point_to_is_kept_until_both_are_released(integrator, objects):
    url = integrator.create(document(attachment=inline()))["content"][0]["attachment"]["url"]
    integrator.create(document(attachment={"contentType": "application/pdf", "url": url}))
    first, second = DocumentReference.objects.order_by("created_at")
    for each in (first, second):
        holding.place_hold(each, "x", BY)
    holding.release_hold(first, "x", BY)
    assert lock_of(Content.objects.get())[0] == "ON"
    holding.release_hold(second, "x", BY)
    assert lock_of(Content.objects.get())[0] == "OFF"


def test_the_store_keeps_what_a_held_document_comes_to_point_to(integrator, objects):
    made = integrator.create(document())
    holding.place_hold(DocumentReference.objects.get(), "x", BY)
    changed = {**document(attachment=inline()), "id": made["id"]}
    assert integrator.put(f"DocumentReference/{made['id']}", changed).status_code == 200
    assert lock_of(Content.objects.get())[0] == "ON"


def test_what_is_held_is_decided_even_where_its_object_is_gone(row):
    storage.remove(Content.objects.get().object_name, unlock=True)
    assert holding.place_hold(row, "x", BY).held


def test_a_hold_that_the_store_cannot_be_told_is_none(row, settings, store_at):
    with down() as address, store_at(S3_ENDPOINT=address), pytest.raises(storage.StoreFault):
        holding.place_hold(row, "x", BY)
    assert holding.hold_on(row) is None


def test_a_store_without_lock_is_told_and_holds_are_kept_here(run, letter, row, monkeypatch):
    monkeypatch.setattr(storage, "locks", lambda: False)
    assert "no object lock" in run("check")[1]["summary"]
    assert "no object lock" in run("hold", letter["id"], "--reason", "x")[1]["summary"]
    assert holding.hold_on(row)
    assert lock_of(Content.objects.get())[0] == "OFF"
