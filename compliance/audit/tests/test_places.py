"""Statements outside the database: in the object store under lock, and at a witness that may be down for a while."""

from pathlib import Path

import pytest
from botocore.exceptions import ClientError
from django.core.exceptions import ImproperlyConfigured

from compliance.audit import heads, places, sealing, shipping, store
from compliance.audit.findings import Report
from compliance.audit.store import Store, client
from compliance.audit.tests.hands import sealed


@pytest.fixture
def folder(tmp_path, settings):
    """A directory as the witness."""
    place = tmp_path / "witness"
    place.mkdir()
    settings.AUDIT_WITNESS = place.as_uri()
    return place


def compared():
    report = Report()
    shipping.compare(report)
    return report


def test_both_places_hold_what_the_database_holds(integrator, folder):
    integrator.create()
    sealed()
    newest = heads.last()
    everywhere = dict.fromkeys(("store", "witness"), newest.row.number)
    assert {state.place: state.number for state in shipping.ship()} == everywhere
    assert (folder / newest.name).read_bytes() == newest.document()
    report = compared()
    assert (report.findings, report.compared) == ([], everywhere)


def test_an_object_is_locked_for_six_years(integrator, folder):
    integrator.create()
    sealed()
    shipping.ship()
    name = Store().key(heads.last())
    found = client().get_object_retention(Bucket="audit", Key=name)["Retention"]
    assert found["Mode"] == "COMPLIANCE"
    assert (found["RetainUntilDate"] - heads.last().row.time).days >= 2190
    [version] = client().list_object_versions(Bucket="audit", Prefix=name)["Versions"]
    with pytest.raises(ClientError, match="AccessDenied"):
        client().delete_object(Bucket="audit", Key=name, VersionId=version["VersionId"])


def test_a_store_that_could_not_tell_of_its_lock_is_asked_again(integrator, folder, monkeypatch):
    integrator.create()
    sealed()
    real = client()

    class Faulty:
        def __getattr__(self, name):
            return getattr(real, name)

        def get_object_lock_configuration(self, **_):
            raise ClientError({"Error": {"Code": "InternalError"}}, "GetObjectLockConfiguration")

    store._bucket.cache_clear()
    with monkeypatch.context() as patched:
        patched.setattr(store, "client", Faulty)
        assert "InternalError" in {state.place: state for state in shipping.ship()}["store"].fault
    assert {state.place: state for state in shipping.ship()}["store"].fault == ""
    found = client().get_object_retention(Bucket="audit", Key=Store().key(heads.last()))["Retention"]
    assert found["Mode"] == "COMPLIANCE"


def test_what_was_put_over_an_object_does_not_count(integrator, folder):
    integrator.create()
    sealed()
    shipping.ship()
    client().put_object(Bucket="audit", Key=Store().key(heads.last()), Body=b"another history")
    assert compared().findings == []


def test_a_witness_that_is_down_gets_the_statements_later_and_sealing_goes_on(integrator, folder):
    away = folder.rename(folder.with_name("away"))
    integrator.create()
    sealed()
    states = {state.place: state for state in shipping.ship()}
    assert (states["store"].fault, states["witness"].number) == ("", 0)
    assert "cannot be written" in states["witness"].fault
    assert shipping.lag(states["witness"]) > 0
    integrator.create()
    sealed()
    away.rename(folder)
    states = {state.place: state for state in shipping.ship()}
    assert (states["witness"].fault, states["witness"].number, shipping.lag(states["witness"])) == (
        "",
        heads.last().row.number,
        0.0,
    )
    assert compared().findings == []


def test_a_statement_that_is_shipped_during_a_comparison_is_no_finding(integrator, folder, monkeypatch):
    integrator.create()
    sealed()
    shipping.ship()
    ask, asked = places.Directory.beyond, []

    def meanwhile(place, epoch, number):
        if not asked:
            integrator.create()
            sealed()
            shipping.ship()
        asked.append(number)
        return ask(place, epoch, number)

    monkeypatch.setattr(places.Directory, "beyond", meanwhile)
    assert compared().findings == []
    assert asked == [asked[0], heads.last().row.number]


def test_a_place_that_holds_another_statement_takes_no_more(integrator, folder):
    integrator.create()
    sealed()
    (folder / "0001").mkdir()
    (folder / "0001/000000000001.json").write_text("another history")
    states = {state.place: state for state in shipping.ship()}
    assert "holds another statement 1" in states["witness"].fault


def test_a_new_epoch_never_meets_the_files_of_the_old_one(integrator, folder):
    from healthrecords.cli import host_request

    integrator.create()
    sealed()
    shipping.ship()
    (folder / f"0001/{heads.last().row.number + 1:012d}.json").write_text("sealed after the backup that was restored")
    assert [finding.check for finding in compared().findings] == ["witness"]
    sealing.open_epoch("restored", host_request("test"))
    shipping.ship()
    assert heads.last().name.startswith("0002/")
    assert (folder / heads.last().name).is_file()
    assert compared().findings == []


def test_a_mailbox_gets_the_statements_of_a_while_in_one_message(integrator, inbox, settings):
    settings.AUDIT_WITNESS = "mailto:notary@example.org"
    for _ in range(2):
        integrator.create()
        sealed()
    shipping.ship()
    integrator.create()
    sealed()
    shipping.ship()
    [message] = inbox
    assert message["To"] == "notary@example.org"
    shipped = [line for line in message.get_payload(decode=True).decode().splitlines() if line.startswith("{")]
    assert len(shipped) == shipping.AuditShipment.objects.get(place="witness").number < heads.last().row.number


@pytest.mark.parametrize("address", ["ftp://example.org", "file://host/x", "/mnt/witness", "mailto:nobody"])
def test_an_address_of_another_kind_is_refused(settings, address):
    settings.AUDIT_WITNESS = address
    with pytest.raises(ImproperlyConfigured, match="HEALTHCARE_WITNESS"):
        places.witness()


def test_a_file_is_written_once(tmp_path):
    path = Path(tmp_path / "a.json")
    places._write_once(path, b"first")
    with pytest.raises(FileExistsError):
        places._write_once(path, b"second")
    assert (path.read_bytes(), [each.name for each in tmp_path.iterdir()]) == (b"first", ["a.json"])
