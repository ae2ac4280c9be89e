"""`health connection`: the way to the database, step by step up to the first that fails; `health wait`: until none."""

import socket
import struct
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import psycopg

from .database import START
from .login import PATIENCE, explained, parameters, words_of
from .registry import Check, Problem, Told, ask

_ASK_FOR_TLS = struct.pack("!ii", 8, 80877103)  # SSLRequest of the protocol's message formats
_DEMANDS_TLS = ("require", "verify-ca", "verify-full")
_PAUSE = 0.5  # seconds between two tries of `wait`

Step = Callable[["Walk"], str]


@dataclass
class Walk:
    """One way to the database by the settings of an alias."""

    alias: str = "default"
    known: dict[str, Any] = field(init=False)
    address: Any = None
    connection: "psycopg.Connection[Any] | None" = None
    refused: Problem | None = None

    def __post_init__(self) -> None:
        self.known = parameters(self.alias)
        self.words = words_of(self.known)

    @property
    def by_socket(self) -> bool:
        """Whether the server is reached by a file on this host."""
        return not self.known.get("host") or str(self.known["host"]).startswith("/")

    def name(self) -> str:
        if self.by_socket:
            return f"The server is reached by its socket in {self.words['host']}."
        try:
            found = socket.getaddrinfo(self.known["host"], int(self.known.get("port") or 5432), type=socket.SOCK_STREAM)
        except OSError as fault:
            raise Problem(f"The name {self.words['host']} is not known.", "Correct HEALTHCARE_DATABASE_URL.") from fault
        self.address = found[0][4][:2]
        return f"{self.words['host']} is {self.address[0]}."

    def port(self) -> str:
        if not self.by_socket:
            try:
                socket.create_connection(self.address, PATIENCE).close()
            except OSError as fault:
                raise explained(_as_libpq_says(fault), self.known) from fault
        return f"Something listens at {self.words['place']}."

    def tls(self) -> str:
        """Whether the server offers TLS, by the protocol's own question; a problem only where it is asked for."""
        if self.by_socket:
            return "A socket needs no TLS."
        offered, demanded = self._offers_tls(), self.known.get("sslmode") in _DEMANDS_TLS
        if demanded and not offered:
            raise Problem(
                "The server offers no TLS, and sslmode asks for it.", "Give PostgreSQL a certificate (ssl=on)."
            )
        return "The server offers TLS." if offered else "The server offers no TLS; none is asked for."

    def _offers_tls(self) -> bool:
        try:
            with socket.create_connection(self.address, PATIENCE) as raw:
                raw.sendall(_ASK_FOR_TLS)
                told = raw.recv(1)
        except OSError as fault:
            raise Problem(f"What listens at {self.words['place']} says nothing.", START) from fault
        if told not in (b"S", b"N"):
            raise Problem(
                f"What listens at {self.words['place']} is no PostgreSQL.", "Correct HEALTHCARE_DATABASE_URL."
            )
        return told == b"S"

    def authentication(self) -> str:
        """PostgreSQL looks at the password first and at the database after that."""
        try:
            self.connection = psycopg.connect(**self.known, autocommit=True)
        except psycopg.OperationalError as fault:
            problem = explained(str(fault), self.known)
            if self.words["name"] not in problem.text:
                raise problem from fault
            self.refused = problem
        return f"{self.words['user']} is let in."

    def database(self) -> str:
        if self.refused:
            raise self.refused
        return f"The database {self.words['name']} is there."

    def rights(self) -> str:
        """The application reads every table and makes none."""
        closed, makes, mighty = self._row(
            "SELECT count(*) FILTER (WHERE NOT has_table_privilege(c.oid, 'SELECT')),"
            " has_schema_privilege('public', 'CREATE'), (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)"
            " FROM pg_class c WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')"
        )
        if closed:
            raise Problem(
                f"{closed} tables are closed to {self.words['user']}.", "Run deploy/postgres/roles.sql again."
            )
        if makes or mighty:
            raise Problem(
                f"{self.words['user']} may change the schema; the application must not.",
                "Give HEALTHCARE_DATABASE_URL the role healthrecords_app.",
            )
        return f"{self.words['user']} reads every table and makes none."

    def query(self) -> str:
        begun = time.monotonic()
        (count,) = self._row("SELECT count(*) FROM django_migrations")
        milliseconds = 1000 * (time.monotonic() - begun)
        if not count:
            raise Problem("The tables were never made.", "Run `migrate --database owner`.")
        return f"A query takes {milliseconds:.1f} ms."

    def _row(self, query: str) -> Any:
        assert self.connection  # noqa: S101  # nosec B101
        try:
            return self.connection.execute(query).fetchone()
        except psycopg.errors.UndefinedTable as fault:
            raise Problem("The tables were never made.", "Run `migrate --database owner`.") from fault
        except psycopg.Error as fault:
            raise explained(str(fault), self.known) from fault


STEPS: tuple[Step, ...] = (
    Walk.name,
    Walk.port,
    Walk.tls,
    Walk.authentication,
    Walk.database,
    Walk.rights,
    Walk.query,
)


def steps(alias: str = "default") -> Iterator[Told]:
    """Each step with what it found; the last one is the one that failed, if any did."""
    walk = Walk(alias)
    try:
        for step in STEPS:
            told = ask(Check(step.__name__, "connection", partial(step, walk), 0, START))
            yield told
            if told.state != "good":
                return
    finally:
        if walk.connection:
            walk.connection.close()


def wait(seconds: float, say: Callable[[str], None] = lambda _: None) -> list[Told]:
    """Walk until a way goes through to the end or the time is over; return the last one. Says each new obstacle."""
    deadline, before = time.monotonic() + seconds, ""
    while True:
        walked = list(steps())
        if walked[-1].state == "good" or time.monotonic() > deadline:
            return walked
        if walked[-1].text != before:
            before = walked[-1].text
            say(before)
        time.sleep(_PAUSE)


def _as_libpq_says(fault: OSError) -> str:
    return "timeout" if isinstance(fault, TimeoutError) else str(fault)
