"""A connection of our own, beside Django's and outside of its pool, and the lock that lasts as long as it does."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from django.db import connection

_KIND = 0x6A6F6273  # "jobs": the first half of the number of each lock
# The server notices within two minutes that the host of a run is gone, and frees its lock.
_ALIVE = "-c tcp_keepalives_idle=60 -c tcp_keepalives_interval=15 -c tcp_keepalives_count=4"


def apart() -> "psycopg.Connection[Any]":
    """Connect as the application does; each statement is its own transaction. Close it, or use it by `with`."""
    asked = connection.get_connection_params()
    options = f"{asked.pop('options', '')} {_ALIVE}"
    return psycopg.connect(**asked, options=options, autocommit=True)


@contextmanager
def held(job: str) -> Iterator[bool]:
    """Whether nobody else runs this job; until the end nobody will. The lock dies with our process."""
    with apart() as line:
        answer = line.execute("SELECT pg_try_advisory_lock(%s, hashtext(%s))", [_KIND, job]).fetchone()
        yield bool(answer and answer[0])
