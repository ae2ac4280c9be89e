"""Months that are older than the retention go by a signed act; what is left verifies, and what went else is missed."""

from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.db import connections
from django.utils import timezone

from compliance.audit import heads, retention, sealing, shipping
from compliance.audit.models import AuditSeal
from compliance.audit.tests.attacks import insert
from compliance.audit.tests.hands import finished, sealed, superuser, unguarded, verified
from compliance.audit.tests.scene import EVENTS, TRAIL, Scene, clock
from healthrecords.cli import host_request

BY = host_request("audit retain")


@pytest.fixture
def old(fragile, integrator, tmp_path, settings):
    """A server with an event of eight years ago, three of seven, all sealed then, two around the first moment that is
    kept, sealed together, and those of today."""
    (tmp_path / "witness").mkdir()
    settings.AUDIT_WITNESS = (tmp_path / "witness").as_uri()
    integrator.create()
    then = month_of(years_ago(8))
    with unguarded() as cursor:
        cursor.execute("UPDATE compliance_accessevent SET time = %s", [then])
    seal_at(then)
    then = month_of(years_ago(7))
    with trails_hands() as cursor:
        for _ in range(3):
            cursor.execute(written(f"'{then:%Y-%m-%d %H:%M:%S+00}'"))
    seal_at(then)
    kept = before()
    month_of(kept), month_of(kept - timedelta(days=1))
    with trails_hands() as cursor:
        for moment in (kept - timedelta(seconds=1), kept + timedelta(seconds=1)):
            cursor.execute(written(f"'{moment:%Y-%m-%d %H:%M:%S+00}'"))
    seal_at(kept + timedelta(seconds=5))
    return Scene(integrator, tmp_path / "witness")


@contextmanager
def trails_hands():
    """A cursor of the trail's role."""
    with superuser() as cursor:
        cursor.execute("SET SESSION AUTHORIZATION healthrecords_owner; SET ROLE healthrecords_trail")
        yield cursor


def written(time):
    """SQL that adds an event of another time."""
    return insert(txid="pg_current_xact_id()::text::bigint", time=time).format(events=EVENTS)


def years_ago(years):
    return timezone.now() - timedelta(days=366 * years)


def before():
    """The first moment that is kept."""
    return timezone.make_aware(datetime.combine(retention.plan().before, datetime.min.time()), UTC)


def month_of(moment):
    """Make the month of a moment; return the moment."""
    with trails_hands() as cursor:
        cursor.execute("SELECT audit.audit_make_partition(%s)", [moment.date().replace(day=1)])
    return moment


def seal_at(moment):
    """Seal with the clock of another time."""
    finished()
    with clock(sealing, seconds=(moment - timezone.now()).total_seconds()):
        sealing.seal()


def retain():
    return retention.retain(retention.plan(), BY)


def count():
    with connections["sealer"].cursor() as cursor:
        cursor.execute("SELECT count(*) FROM compliance_accessevent")
        return cursor.fetchone()[0]


def test_the_old_server_verifies(old):
    assert verified().findings == []


def test_old_months_go_and_the_rest_verifies(old):
    held, heads_before = count(), heads.last().row.number
    made = retention.plan()
    assert (made.events, len(made.months)) == (5, 3)
    statement = retention.retain(made, BY)
    assert (statement.said["kind"], statement.said["removed"], statement.row.number) == ("removal", 5, heads_before + 1)
    assert count() == held - 5 + 1  # the row that tells of the removal
    old.api.create()
    old.sealed()
    report = verified()
    shipping.compare(report)
    assert report.findings == []
    assert retention.plan().months == ()


def test_a_rehearsal_removes_nothing(old, capsys):
    held = count()
    call_command("audit", "retain", "--dry-run")
    assert "would be removed" in capsys.readouterr().out
    assert count() == held


def test_the_command_removes_records_and_is_safe_to_run_twice(old, trail, capsys):
    call_command("audit", "retain")
    call_command("audit", "retain")
    assert "0 events in 0 months" in capsys.readouterr().out
    assert len([row for row in trail(action="delete") if "retention ended" in row.detail]) == 1


def test_a_second_removal_counts_on_from_the_first(old, settings):
    settings.AUDIT_RETENTION_YEARS = 7
    assert retain().said["removed"] == 1
    settings.AUDIT_RETENTION_YEARS = 6
    assert retain().said["removed"] == 5
    assert verified().findings == []


def test_what_is_deleted_beside_a_removal_is_missed(old):
    retain()
    with unguarded() as cursor:
        cursor.execute("DELETE FROM compliance_accessevent WHERE time < %s", [before() + timedelta(days=1)])
    [finding] = verified().findings
    assert (finding.check, "6 events are gone, and statement" in finding.text) == ("missing", True)


def test_months_dropped_without_a_signed_removal_are_missed(old):
    first, *_ = retention.plan().months
    old.run(TRAIL, f"DROP TABLE audit.{first}")
    assert [finding.check for finding in verified().findings] == ["missing"]


def test_evidence_is_not_removed(old):
    held = count()
    with unguarded() as cursor:
        cursor.execute("UPDATE compliance_accessevent SET actor = 'x' WHERE time < now() - interval '7 years'")
    with pytest.raises(ValidationError, match="does not verify"):
        retain()
    assert count() == held


def test_events_that_were_never_sealed_are_not_removed(old):
    before = AuditSeal.objects.count()
    with trails_hands() as cursor:
        cursor.execute(written("now() - 2562 * interval '1 day'"))
    with pytest.raises(CommandError):
        call_command("audit", "retain")
    assert AuditSeal.objects.count() == before


def test_months_are_made_again_after_a_stop_of_years(fragile, integrator):
    """As after years, no month of today is there: nothing can be written, until the sealer or a restore makes them."""
    integrator.create()
    sealed()
    month_of(years_ago(6))
    with superuser() as cursor:
        cursor.execute("SELECT relname FROM pg_inherits JOIN pg_class ON oid = inhrelid WHERE inhparent = %s::regclass",
                       [f"audit.{EVENTS}"])  # fmt: skip
        months = [name for (name,) in cursor.fetchall() if name > f"{EVENTS}_{timezone.now():%Y_%m}"]
        for month in months:
            cursor.execute(f"DROP TABLE audit.{month}")
    assert any("Missing: table" in finding.text for finding in verified().findings)
    sealing.make_months()
    assert verified().findings == []


@pytest.mark.parametrize("month", ["2031-12-01", "2032-01-01", "2040-02-01"])
def test_a_month_years_ahead_takes_the_events_of_its_first_and_last_moment(fragile, integrator, month):
    integrator.create()
    with trails_hands() as cursor:
        cursor.execute("SELECT audit.audit_make_partition(%s), audit.audit_make_partition(%s)", [month, month])
        assert cursor.fetchone() == (1, 0)
        for moment in (f"'{month} 00:00:00+00'", f"timestamptz '{month} 00:00:00+00' + interval '1 month - 1 second'"):
            cursor.execute(written(moment))
        cursor.execute(f"SELECT count(*) FROM audit.{EVENTS}_{month[:7].replace('-', '_')}")  # noqa: S608
        assert cursor.fetchone() == (2,)
    assert [finding.check for finding in verified().findings if finding.check == "schema"] == []
