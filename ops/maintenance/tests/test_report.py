"""The report: real bloat, a real second index, one that nobody used, one that is not valid, an old table."""

import json

import pytest

from ops.maintenance import findings
from ops.maintenance.tasks import report
from ops.monitoring.tests.reading import value
from ops.performance.tests.sessions import session
from ops.runs import Run


@pytest.fixture
def bulky(db, monkeypatch):
    """A table of which most went, in a schema that alone is looked at; yields the owner's session."""
    monkeypatch.setattr(findings, "SCHEMAS", ["bulky"])
    monkeypatch.setattr(findings, "SMALLEST", 100_000)
    monkeypatch.setattr(findings, "MUCH", 100_000)
    with session() as owner, session("monitor") as monitor:
        owner.execute("CREATE SCHEMA bulky; CREATE TABLE bulky.rows (id int PRIMARY KEY, text text)")
        owner.execute("ALTER TABLE bulky.rows SET (autovacuum_enabled = off)")
        owner.execute(f"GRANT USAGE ON SCHEMA bulky TO {monitor.info.user}")
        owner.execute("INSERT INTO bulky.rows SELECT n, repeat('x', 200) FROM generate_series(1, 10000) n")
        yield owner
        owner.execute("DROP SCHEMA bulky CASCADE")


def found(operate):
    ended = operate("maintain", "report", "--json")
    return ended.code, json.loads(ended.out)


def test_a_tidy_database_has_no_findings(bulky, operate):
    code, told = found(operate)
    assert code == 0
    assert {row["of"] for row in told["bloat"]} == {"bulky.rows", "bulky.rows_pkey"}


def test_rows_that_went_leave_room_that_is_measured(bulky, operate):
    bulky.execute("DELETE FROM bulky.rows WHERE id % 10 > 0")
    bulky.execute("VACUUM bulky.rows")
    code, told = found(operate)
    wasted = {row["of"]: row["wasted"] / row["bytes"] for row in told["bloat"]}
    assert code == 1
    assert wasted["bulky.rows"] > 0.8
    assert wasted["bulky.rows_pkey"] > 0.8
    report()
    assert value("database_bloat_bytes") == told["wasted"] == Run.objects.get().data["wasted"]


def test_an_index_that_is_there_twice_is_named_with_the_one_to_keep(bulky, operate):
    bulky.execute("CREATE INDEX again ON bulky.rows (id); CREATE INDEX other ON bulky.rows (id DESC)")
    code, told = found(operate)
    assert code == 1
    assert told["twice"] == [{"table": "bulky.rows", "keep": "bulky.rows_pkey", "drop": ["bulky.again"]}]


def test_an_index_that_nobody_used_is_told_and_is_no_problem(bulky, operate):
    bulky.execute("CREATE INDEX idle ON bulky.rows (text)")
    code, told = found(operate)
    assert [row["index"] for row in told["unused"]] == ["bulky.idle"]
    assert code == 0


def test_an_index_that_is_not_valid_is_told(bulky, operate):
    bulky.execute("INSERT INTO bulky.rows VALUES (0, 'x'), (-1, 'x')")
    try:
        bulky.execute("CREATE UNIQUE INDEX CONCURRENTLY broken ON bulky.rows (text)")
    except Exception as fault:
        assert "duplicate" in str(fault) or "could not create unique index" in str(fault)  # noqa: PT017
    code, told = found(operate)
    assert (code, told["invalid"]) == (1, ["bulky.broken"])


def test_a_table_that_nobody_froze_is_told(bulky, operate, monkeypatch):
    monkeypatch.setattr(findings, "CLOSE", -1)
    code, told = found(operate)
    assert code == 1
    assert {row["table"] for row in told["old"]} > {"bulky.rows"}


def test_our_own_tables_have_no_index_twice(db, operate):
    assert found(operate)[1]["twice"] == []
