"""What the tests of performance and maintenance share: sessions of their own, and waiting until something is so."""

import time
from contextlib import contextmanager

import psycopg
import pytest
from django.db import connections


@contextmanager
def session(role="owner", application="a test"):
    """A session of its own by a role, in the test's database."""
    known = connections[role].settings_dict
    with psycopg.connect(
        host=known["HOST"], port=known["PORT"], user=known["USER"], password=known["PASSWORD"], dbname=known["NAME"],
        autocommit=True, application_name=application,
    ) as connection:  # fmt: skip
        yield connection


def wait_until(condition, seconds=30):
    """What the condition gives, once it gives something; fails where it never does."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if found := condition():
            return found
        time.sleep(0.05)
    raise AssertionError("it did not come")


@pytest.fixture
def things(db):
    """A table with rows that the application may use; yields the owner's session."""
    with session() as owner:
        owner.execute("CREATE TABLE public.things (id int PRIMARY KEY, a int)")
        owner.execute("INSERT INTO things SELECT n, n FROM generate_series(1, 1000) n")
        yield owner
        owner.execute("DROP TABLE things")
