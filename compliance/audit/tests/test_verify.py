"""Sealed and verified: what is as it was sealed verifies, and what is not is named."""

import pytest

from compliance.audit import heads, sealing
from compliance.audit.tests.hands import sealed, verified
from healthrecords.cli import host_request


@pytest.fixture
def busy(integrator):
    """A server on which some things happened, all of them sealed."""
    for _ in range(3):
        integrator.create()
    integrator.get("Patient?name=jansen")
    sealed()
    return integrator


def test_what_was_sealed_verifies(busy):
    report = verified()
    assert report.findings == []
    assert report.events >= 6


def test_what_came_later_is_sealed_by_the_next_statement_that_links_to_the_one_before(busy, trail):
    first = heads.last()
    busy.create()
    sealed()
    second = heads.last()
    assert second.said["number"] == first.said["number"] + 1
    assert second.said["previous"] == first.digest
    assert second.said["size"] == len(trail())
    assert verified().findings == []


def test_sealing_again_seals_nothing(busy):
    assert sealing.seal() == []


def test_an_event_of_a_transaction_that_still_runs_waits_for_its_end(busy):
    from django.db import connections, transaction

    with transaction.atomic(using="trail"), connections["trail"].cursor() as cursor:
        cursor.execute("SELECT pg_current_xact_id()")
        busy.create()
        sealing.seal()
        assert sealing.unsealed()[0] >= 1
    sealed()
    assert sealing.unsealed() == (0, None)
    assert verified().findings == []


def test_a_batch_ends_between_two_transactions(busy, monkeypatch):
    monkeypatch.setattr(sealing, "BATCH", 2)
    for _ in range(3):
        busy.create()
    busy.get("Patient?name=jansen")
    before = heads.last().said["number"]
    sealed()
    assert heads.last().said["number"] - before >= 3
    assert verified().findings == []


def test_a_new_epoch_begins_with_what_the_restored_database_holds(busy):
    busy.create()
    assert sealing.open_epoch("backup of Tuesday", host_request("test")) == 2
    busy.create()
    sealed()
    report = verified()
    assert (report.findings, heads.last().said["epoch"]) == ([], 2)
    assert sealing.unsealed() == (0, None)


def test_a_rotation_of_keys_changes_no_leaf(busy):
    from django.core.management import call_command

    from healthrecords.crypto import keys

    file = keys.FIELD.path
    before = file.read_text()
    try:
        call_command("keys", "create")
        call_command("keys", "rotate")
        sealed()
        assert verified().findings == []
    finally:
        file.write_text(before)
        keys.FIELD.forget()
