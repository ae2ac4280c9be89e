"""Named recovery points."""

import re

from . import catalogue as books
from .catalogue import Point, written
from .faults import BackupFault
from .repository import repository
from .server import connected

_NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$")


def make(name: str) -> Point:
    """Write a point of that name into the log, end its segment so that it is stored at once, and keep its position.

    Raise BackupFault for a name that is taken or unfit.
    """
    if not _NAME.match(name):
        raise BackupFault("A point's name is 1 to 63 letters, digits, dots, hyphens and underscores.")
    target = repository()
    target.check()
    if any(point.name == name for point in books.points(target)):
        raise BackupFault(f"There is a recovery point {name} already; choose another name.")
    point = write(name)
    books.add_point(target, point)
    return point


def write(name: str) -> Point:
    """Write a point into the log alone and end its segment, so that it is stored at once; raise DatabaseDown."""
    with connected() as connection:
        row = connection.execute(
            "SELECT pg_create_restore_point(%s)::text, clock_timestamp(), "
            "(SELECT timeline_id FROM pg_control_checkpoint()), "
            "(SELECT system_identifier::text FROM pg_control_system())",
            [name],
        ).fetchone()
        assert row  # noqa: S101  # nosec B101
        connection.execute("SELECT pg_switch_wal()")
    return Point(name, row[0], written(row[1]), row[2], row[3])
