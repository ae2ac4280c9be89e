"""Imports that are interrupted, refused by the database, or may not be written down."""

import pytest
from django.db import DataError

from healthrecords.fhir import store
from healthrecords.importing import importer
from healthrecords.importing.models import ImportProgress
from healthrecords.records import RecordVersion

from .conftest import CLINIC, MARIA, patient


@pytest.fixture
def small_batches(monkeypatch):
    monkeypatch.setattr(importer, "BATCH", 2)


def failing(monkeypatch, fails, error):
    """Let the writing of batches that `fails` picks raise `error`."""
    write = store.write

    def refuse(resource, changes, author, source=""):
        if fails([change.record.logical_id for change in changes]):
            raise error
        return write(resource, changes, author, source)

    monkeypatch.setattr(store, "write", refuse)


def test_an_interrupted_import_goes_on_where_it_was(records, file, small_batches, monkeypatch):
    path = file(*map(patient, range(5)), {**MARIA, "gender": "f"}, name="a")
    with monkeypatch.context() as broken:
        failing(broken, lambda ids: "p4" in ids, KeyboardInterrupt())
        told = records("import", path)
    assert told.code == 2
    assert "goes on from here" in told["summary"]
    assert RecordVersion.objects.count() == 4
    written = []
    failing(monkeypatch, written.extend, None)
    told = records("import", path)
    assert written == ["p4"]
    assert (told["created"], told["unchanged"], told["failed"]) == ({"Patient": 5}, {}, {"Patient": 1})
    assert "Went on after 4" in told["summary"]
    assert not ImportProgress.objects.exists()
    assert records("import", path)["unchanged"] == {"Patient": 5}


def test_an_interrupted_batch_leaves_nothing_behind(records, file, monkeypatch):
    with monkeypatch.context() as broken:
        failing(broken, lambda ids: "maria" in ids, KeyboardInterrupt())
        records("import", file(CLINIC, MARIA))
    assert RecordVersion.objects.count() == 0
    assert records("import", file(CLINIC, MARIA))["created"] == {"Organization": 1, "Patient": 1}


def test_what_the_database_refuses_fails_alone(records, file, monkeypatch):
    failing(monkeypatch, lambda ids: "p1" in ids, DataError("value 'Jansen' too long"))
    told = records("import", file(*map(patient, range(3))))
    assert (told.code, told["created"], told["failed"]) == (1, {"Patient": 2}, {"Patient": 1})
    assert [row["reason"] for row in told["failures"]] == ["The database refuses it (DataError)."]


def test_nothing_is_written_that_cannot_be_written_down(records, file, broken_trail):
    told = records("import", file(CLINIC, MARIA))
    assert told["failed"] == {"Organization": 1, "Patient": 1}
    assert RecordVersion.objects.count() == 0


def test_each_batch_leaves_one_row_for_each_patient_with_who_and_what(records, file, trail):
    records("import", file(CLINIC, patient(1), patient(2)))
    records("import", file(patient(1, gender="male"), patient(2)))
    created, updated = trail(action="create"), trail(action="update")
    assert {(row.patient, *row.resources) for row in created} == {
        (None, "Organization/clinic"),
        ("p1", "Patient/p1"),
        ("p2", "Patient/p2"),
    }
    assert [(row.patient, row.versions) for row in updated] == [("p1", [2])]
    assert {(row.actor_kind, row.purpose, row.route) for row in created} == {("host", "HSYSADMIN", "records import")}
    assert RecordVersion.objects.first().author.startswith("host:")


def test_each_run_leaves_an_operations_record(records, file, trail):
    records("import", file(MARIA))
    [row] = trail(action="command")
    assert row.detail.startswith("records import: good in ")
    assert "1 created" in row.detail
