"""The way to the database: each step fails with its own sentence."""

import socket
import threading

import pytest
from django.db import connections

from ops.health import connecting
from ops.health.login import explained

OURS = connections.settings["default"]


def walked():
    return [(each.check, each.state, each.text) for each in connecting.steps()]


def test_every_step_is_good_where_all_is_well(db):
    assert [(name, state) for name, state, _ in walked()] == [(step.__name__, "good") for step in connecting.STEPS]


@pytest.mark.parametrize(
    ("wrong", "step", "words"),
    [
        ({"HOST": "no.such.host.invalid"}, "name", "is not known"),
        ({"PASSWORD": "wrong"}, "authentication", "refuses the password"),
        ({"USER": "healthrecords_nobody"}, "authentication", "refuses the password"),
        ({"NAME": "nowhere"}, "database", "There is no database nowhere"),
    ],
)
def test_a_wrong_setting_is_told_by_its_step(db, monkeypatch, wrong, step, words):
    for setting, value in wrong.items():
        monkeypatch.setitem(OURS, setting, value)
    name, state, text = walked()[-1]
    assert (name, state) == (step, "problem")
    assert words in text


def test_a_role_that_may_make_tables_is_not_the_applications(db, monkeypatch):
    owner = connections.settings["owner"]
    monkeypatch.setitem(OURS, "USER", owner["USER"])
    monkeypatch.setitem(OURS, "PASSWORD", owner["PASSWORD"])
    assert walked()[-1][:2] == ("rights", "problem")


def test_a_server_without_tls_is_a_problem_where_the_settings_ask_for_it(db, monkeypatch):
    monkeypatch.setitem(OURS, "OPTIONS", {**OURS["OPTIONS"], "sslmode": "require"})
    assert walked()[-1][:2] == ("tls", "problem")


def test_another_kind_of_server_is_told_from_postgresql(db, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=_greet, args=(server,), daemon=True).start()
        monkeypatch.setitem(OURS, "PORT", str(server.getsockname()[1]))
        name, state, text = walked()[-1]
    assert (name, state) == ("tls", "problem")
    assert "is no PostgreSQL" in text


def _greet(server):
    while True:
        try:
            connection, _ = server.accept()
        except OSError:
            return
        connection.sendall(b"220 mail.example.org ESMTP\r\n")
        connection.close()


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("FATAL:  the database system is starting up", "is starting or recovering"),
        ("FATAL:  sorry, too many clients already", "All connections of PostgreSQL are taken"),
        ("FATAL:  no pg_hba.conf entry for host", "lets app not in"),
        ("connection timeout expired", "does not answer in time"),
        ("something new\nDETAIL: Key (name)=(Jansen)", "lets nobody in (something new"),
    ],
)
def test_what_libpq_says_becomes_a_sentence(said, words):
    told = explained(said, {"host": "db", "port": 5432, "user": "app", "dbname": "records"})
    assert words in told.text
    assert "Jansen" not in told.text
    assert told.next_step


def test_waiting_ends_once_the_way_is_open(db):
    assert connecting.wait(5)[-1].state == "good"
