"""Events as leaves: the bytes that are hashed, read in bulk in the order of the tree.

A leaf is the line that PostgreSQL's COPY writes in its text format for the columns `schema.LEAF`, without the line's
end: UTF-8, tab between columns, `\\N` for NULL, times in UTC (`2026-05-17 08:30:00.25+00`), bytes in hex.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connections, transaction

from compliance.audit.schema import EVENTS, LEAF

SEALER = "sealer"
ENTRY = 16 + 32  # bytes of an event in a seal's list: its id, the hash of its leaf
_UUID, _TIME, _TXID = LEAF.index("uuid"), LEAF.index("time"), LEAF.index("txid")
FORM = "SET LOCAL timezone = 'UTC'; SET LOCAL datestyle = 'ISO, YMD'; SET LOCAL bytea_output = 'hex'"


class Event(NamedTuple):
    """A row as it is hashed, and the sealed text of its search, which is not: its fingerprint is."""

    txid: int
    uuid: str
    time: str
    line: bytes
    query: str

    @property
    def query_mac(self) -> str:
        """The fingerprint of the search's text in hex, or an empty text."""
        last = self.line.rpartition(b"\t")[2]
        return "" if last == b"\\N" else last.decode()[3:]


@contextmanager
def snapshot() -> Iterator[Any]:
    """One consistent look at seals and events, in the form of leaves; a cursor of the sealer's connection."""
    with transaction.atomic(using=SEALER), connections[SEALER].cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        cursor.execute(FORM)
        yield cursor


def events(cursor: Any, epoch: int, begin: int, end: int) -> Iterator[Event]:
    """The events of an epoch whose transactions are in [begin, end), by transaction and number."""
    columns = ", ".join(LEAF)
    statement = (
        f"COPY (SELECT {columns}, query FROM audit.{EVENTS} WHERE epoch = {int(epoch)} AND txid >= {int(begin)} "  # noqa: S608  # nosec B608
        f"AND txid < {int(end)} ORDER BY txid, seq) TO STDOUT"
    )
    with cursor.copy(statement) as copy:
        for row in copy:
            line, _, query = bytes(row)[:-1].rpartition(b"\t")
            parts = line.split(b"\t", _TIME + 1)
            sealed = "" if query == b"\\N" else query[3:].decode()
            yield Event(int(parts[_TXID]), parts[_UUID].decode(), parts[_TIME].decode(), line, sealed)


def entry(event: Event, digest: bytes) -> bytes:
    """What a seal keeps of an event, to name it later."""
    return UUID(event.uuid).bytes + digest


def entries(packed: bytes) -> list[tuple[str, bytes]]:
    """The ids and leaf hashes that a seal keeps, in the order of its tree."""
    steps = range(0, len(packed), ENTRY)
    return [(str(UUID(bytes=packed[at : at + 16])), packed[at + 16 : at + ENTRY]) for at in steps]
