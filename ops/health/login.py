"""Signs in to PostgreSQL past the application's pool, and turns what libpq says into a sentence and a next step."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from django.db import connections

from healthrecords.redaction import scrub

from .registry import Problem

PATIENCE = 2  # seconds to connect; libpq knows no less

_START = "Start it (`services status` names what runs), or correct HEALTHCARE_DATABASE_URL."
_PASSWORD = "Correct HEALTHCARE_DATABASE_URL, or give the roles their passwords again (deploy/postgres/roles.sql)."  # noqa: S105  # nosec B105
# What libpq says → what is wrong, and what to do next; the first that fits.
_REASONS = (
    (r"Connection refused|No such file", "Nothing listens at {place}.", _START),
    (
        r"could not translate|resolve host|Name or service|nodename",
        "The name {host} is not known.",
        "Correct HEALTHCARE_DATABASE_URL.",
    ),
    (r"password authentication failed|no password", "PostgreSQL refuses the password of {user}.", _PASSWORD),
    (r'role ".*" does not exist', "PostgreSQL does not know the role {user}.", _PASSWORD),
    (
        r"pg_hba|no encryption",
        "PostgreSQL lets {user} not in from here.",
        "Look at pg_hba.conf: which hosts, and whether TLS is asked for.",
    ),
    (
        r'database ".*" does not exist',
        "There is no database {name}.",
        "Create it (deploy/postgres/roles.sql), or correct HEALTHCARE_DATABASE_URL.",
    ),
    (
        r"permission denied for database",
        "{user} may not connect to the database {name}.",
        "Run deploy/postgres/roles.sql again.",
    ),
    (
        r"starting up|not yet accepting|recovery",
        "PostgreSQL at {place} is starting or recovering.",
        "Wait for it: `health wait`.",
    ),
    (
        r"shutting down|terminating connection",
        "PostgreSQL at {place} is shutting down.",
        "Start it again once it has ended.",
    ),
    (
        r"too many (clients|connections)|remaining connection slots",
        "All connections of PostgreSQL are taken.",
        "`performance connections` names who holds them; restart what leaks.",
    ),
    (
        r"timeout|timed out",
        "{place} does not answer in time.",
        "Look whether the host runs, and what stands between: firewall, load.",
    ),
    (
        r"SSL|certificate",
        "TLS with {place} fails.",
        "Look at the server's certificate and at sslmode in HEALTHCARE_DATABASE_URL.",
    ),
)


def parameters(alias: str = "default") -> dict[str, Any]:
    """What psycopg is given to connect as Django does by this alias, without its pool."""
    given = connections[alias].get_connection_params()
    return {
        name: value
        for name, value in given.items()
        if name in ("host", "port", "user", "password", "dbname", "options") or name.startswith("ssl")
    } | {"connect_timeout": PATIENCE, "application_name": "healthrecords health"}


@contextmanager
def connected(alias: str = "default") -> Iterator["psycopg.Connection[Any]"]:
    """A connection of our own; raise Problem where there is none."""
    known = parameters(alias)
    try:
        connection = psycopg.connect(**known, autocommit=True)
    except psycopg.OperationalError as fault:
        raise explained(str(fault), known) from fault
    with connection:
        yield connection


def explained(text: str, known: dict[str, Any]) -> Problem:
    """The problem behind what libpq said."""
    words = words_of(known)
    for pattern, problem, step in _REASONS:
        if re.search(pattern, text):
            return Problem(problem.format(**words), step)
    why = re.sub(r"\s+", " ", scrub(text)).strip().rstrip(".")[-200:]
    return Problem(f"PostgreSQL at {words['place']} lets nobody in ({why}).", _START)


def words_of(known: dict[str, Any]) -> dict[str, str]:
    """How sentences name the server, the role and the database."""
    host, port = str(known.get("host") or "its socket"), str(known.get("port") or 5432)
    return {
        "host": host,
        "place": f"{host}:{port}",
        "user": str(known.get("user", "")),
        "name": str(known.get("dbname", "")),
    }
