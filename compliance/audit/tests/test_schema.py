"""The trail's tables: who stamps an event, who may write, and how rows that were there before came into them."""

from datetime import UTC, datetime
from importlib import import_module

import pytest
from django.db import DatabaseError, connections
from django.db.migrations.executor import MigrationExecutor

from compliance.audit.tests.conftest import drop_trail
from compliance.phi_access.models import AccessEvent
from healthrecords.crypto.envelope import fingerprint, seal

KEY = "018f0000-0000-7000-8000-000000000001"
PLACE = f"compliance_accessevent.query|{KEY}"


def test_the_database_stamps_time_transaction_number_and_role(integrator, trail):
    before = datetime.now(UTC)
    integrator.create()
    integrator.create()
    first, second = trail(action="create")
    assert before < first.time < second.time < datetime.now(UTC)
    assert (first.txid < second.txid, first.seq < second.seq) == (True, True)
    assert {first.written_by, second.written_by} == {"healthrecords_app"}


@pytest.mark.parametrize("alias", ["default", "owner", "sealer"])
@pytest.mark.parametrize("statement", [
    "INSERT INTO compliance_accessevent (uuid) VALUES (gen_random_uuid())",
    "INSERT INTO compliance_accessevent_{month} (uuid) VALUES (gen_random_uuid())",
    "DROP TABLE compliance_accessevent",
    "ALTER TABLE compliance_accessevent DISABLE TRIGGER ALL",
])  # fmt: skip
def test_nobody_who_signs_in_writes_around_the_function(integrator, alias, statement):
    sentence = statement.format(month=f"{datetime.now(UTC):%Y_%m}")
    with pytest.raises(DatabaseError), connections[alias].cursor() as cursor:
        cursor.execute(sentence)


@pytest.mark.parametrize("alias", ["default", "sealer"])
@pytest.mark.parametrize("role", ["healthrecords_trail", "healthrecords_owner"])
def test_the_application_and_the_sealer_cannot_become_the_owners(db, alias, role):
    with pytest.raises(DatabaseError, match="permission denied"), connections[alias].cursor() as cursor:
        cursor.execute(f"SET ROLE {role}")


def test_months_are_made_ahead_once(db):
    with connections["sealer"].cursor() as cursor:
        cursor.execute("SELECT audit_make_partitions()")
        assert cursor.fetchone() == (0,)
        cursor.execute("SELECT count(*) FROM pg_inherits WHERE inhparent = 'compliance_accessevent'::regclass")
        assert cursor.fetchone()[0] >= 8


def test_rows_of_earlier_versions_move_in_with_their_times(fragile, trail):
    drop_trail()
    owner = connections["owner"]
    loader = MigrationExecutor(owner).loader
    first = loader.get_migration("compliance", "0001_initial")
    with owner.schema_editor() as editor:
        first.apply(loader.project_state(("healthrecords", "0001_initial")), editor)
    with owner.cursor() as cursor:
        for key, time in ((KEY, "2025-02-03"), ("018f0000-0000-7000-8000-000000000002", "2025-01-31")):
            cursor.execute(
                "INSERT INTO public.compliance_accessevent VALUES (%s, %s, 'search', 'success', 'user', '1', 'Cleo', "
                "'{}', 'TREAT', '', '', '', 'Patient', NULL, '{}', '{}', '', %s)",
                [key, time, seal(b"name=Jansen", PLACE) if key == KEY else None],
            )
    with owner.schema_editor() as editor:
        import_module("compliance.migrations.0003_trail")._move(None, editor)
    older, newer = trail()
    assert [f"{row.time:%Y-%m-%d}" for row in (older, newer)] == ["2025-01-31", "2025-02-03"]
    assert older.seq < newer.seq
    assert (str(newer.uuid), newer.query, newer.written_by) == (KEY, "name=Jansen", "migration")
    assert bytes(newer.query_mac) == fingerprint(b"name=Jansen", PLACE)
    assert AccessEvent.objects.filter(time__lt=datetime(2025, 2, 1, tzinfo=UTC)).count() == 1
