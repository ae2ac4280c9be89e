"""Sessions of a test's own in its database, and waiting until something is so."""

import time
from contextlib import contextmanager

import psycopg
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


def wait_until(condition, seconds=60):
    """What the condition gives, once it gives something; fails where it never does."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if found := condition():
            return found
        time.sleep(0.05)
    raise AssertionError("it did not come")
