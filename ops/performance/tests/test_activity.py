"""Who is connected, who waits for whom, what is slow: on real sessions, and never with the values of a statement."""

import json
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from django.db import connections

from ops.performance import activity
from ops.performance.activity import Session, tree

from .sessions import session, wait_until

SECRET = "Zyxfamily"


def told(ended, key):
    return json.loads(ended.out)[key]


def wait(name):
    with session("default", name) as each:
        return each.execute("UPDATE things SET a = a + 1 WHERE id = 1 AND 'Zyxfamily' <> ''").rowcount


@pytest.fixture
def held(things):
    """One session holds a row, two more wait for it."""
    with ThreadPoolExecutor(2) as pool, session("default", "holder") as holder:
        holder.execute("BEGIN")
        holder.execute("UPDATE things SET a = 0 WHERE id = 1 AND 'Zyxfamily' <> ''")
        waiting = [pool.submit(wait, name) for name in ("second", "third")]
        wait_until(lambda: sum(bool(each.blockers) for each in activity.sessions()) == 2)
        yield holder
        if not holder.closed:
            holder.execute("ROLLBACK")
        assert [each.result() for each in waiting] == [1, 1]


def test_who_waits_for_whom_is_a_tree_with_the_command_that_ends_it(held, operate):
    ended = operate("performance", "locks", "--json")
    rows = told(ended, "locks")
    assert ended.code == 1
    assert (rows[0]["application"], rows[0]["who"], rows[0]["state"]) == (
        "holder", str(held.info.backend_pid), "idle in transaction",
    )  # fmt: skip
    assert {row["application"] for row in rows[1:]} == {"second", "third"}
    assert all(row["who"].startswith("  ") and row["for"] and row["waiting"] > 0 for row in rows[1:])
    assert f"performance locks --end {held.info.backend_pid}" in ended.out
    assert SECRET not in ended.out


def test_the_session_that_holds_others_up_can_be_ended(held, operate):
    ended = operate("performance", "locks", "--end", str(held.info.backend_pid))
    assert ended.code == 0, ended
    with pytest.raises(psycopg.OperationalError):
        held.execute("SELECT 1")
    wait_until(lambda: not any(each.blockers for each in activity.sessions()))


def test_a_session_of_another_role_is_ended_by_the_superuser_alone(things, operate):
    assert operate("performance", "locks", "--end", str(things.info.backend_pid)).refuses("pg_terminate_backend(")
    assert operate("performance", "locks", "--end", "1").refuses("No session of this database has the number 1")


def test_nobody_waits_in_quiet_times(db, operate):
    assert operate("performance", "locks").code == 0


def test_a_session_that_forgot_its_transaction_is_named(things, operate, monkeypatch):
    monkeypatch.setattr(activity, "IDLE", 0.05)
    with session("default", "forgetful") as each:
        each.execute("BEGIN")
        each.execute("SELECT a FROM things WHERE id = 7")
        ended = wait_until(lambda: (found := operate("performance", "connections", "--json")).code == 1 and found)
        assert str(each.info.backend_pid) in told(ended, "summary")
        (row,) = [row for row in told(ended, "sessions") if row["application"] == "forgetful"]
        assert row["state"] == "idle in transaction"


def test_statements_of_all_roles_are_shown_without_their_values(things, operate):
    with session("default", "asker") as each:
        for _ in range(2):
            each.execute("SELECT count(*), 'Zyxfamily' FROM things WHERE a > 41")
        ended = operate("performance", "connections", "--json")
    (row,) = [row for row in told(ended, "sessions") if row["application"] == "asker"]
    assert row["statement"] == "SELECT count(*), $1 FROM things WHERE a > $2"
    assert SECRET not in ended.out


def test_a_statement_that_never_ended_shows_its_first_word_alone(things, operate):
    with ThreadPoolExecutor(1) as pool, session("default", "new") as each:
        running = pool.submit(each.execute, "SELECT pg_sleep(30) AS new_here, 'Zyxfamily' FROM things LIMIT 1")
        wait_until(lambda: any(found.event == "Timeout PgSleep" for found in activity.sessions()))
        ended = operate("performance", "connections", "--json")
        each.cancel()
        with pytest.raises(psycopg.errors.QueryCanceled):
            running.result()
    (row,) = [row for row in told(ended, "sessions") if row["application"] == "new"]
    assert (row["statement"], row["waits"]) == ("SELECT", "Timeout PgSleep")
    assert SECRET not in ended.out


def test_a_slow_statement_comes_first_and_has_a_plan(things, operate):
    with session("default") as each:
        each.execute("SELECT a, pg_sleep(0.3) FROM things WHERE a = 7 AND 'Zyxfamily' <> 'x'")
    ended = operate("performance", "queries", "--order", "max", "--limit", "100", "--json")
    row = next(row for row in told(ended, "queries") if "pg_sleep" in row["statement"] and "things" in row["statement"])
    assert row["max_ms"] >= 300
    assert SECRET not in ended.out
    plan = "\n".join(told(operate("performance", "queries", "--plan", row["id"], "--json"), "plan"))
    assert "Seq Scan on things" in plan
    assert "Filter: (a = $2)" in plan


def test_a_statement_without_a_plan_is_told_so(db, operate):
    assert operate("performance", "queries", "--plan", "12345").refuses("No statement has the id 12345")


def node(pid, *blockers):
    return Session(pid, "app", "", "local", "active", 0, 0, 1, "", None, list(blockers), "")


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ([], []),
        ([node(1), node(2)], []),
        ([node(1), node(2, 1), node(3, 2)], [(1, 0), (2, 1), (3, 2)]),
        ([node(1), node(2), node(3, 1, 2)], [(1, 0), (3, 1), (2, 0), (3, 1)]),
        ([node(1, 2), node(2, 1), node(3), node(4, 3)], [(3, 0), (4, 1)]),
    ],
)
def test_the_tree_begins_with_who_waits_for_nobody(found, expected):
    assert [(each.session.pid, each.depth) for each in tree(found)] == expected


def test_the_monitor_reads_no_row(db):
    with session("monitor") as monitor:
        for table in ("patients_patient", "healthrecords_user", "audit.compliance_accessevent"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                monitor.execute(f"SELECT * FROM {table}")  # noqa: S608


@pytest.mark.parametrize("verb", ["locks", "connections", "queries"])
def test_a_database_that_is_down_is_one_sentence(db, operate, monkeypatch, verb):
    connections["monitor"].close()
    monkeypatch.setitem(connections["monitor"].settings_dict, "PORT", 1)
    assert operate("performance", verb).refuses("The database does not answer")
