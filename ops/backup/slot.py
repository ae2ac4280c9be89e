"""The replication slot by which the database keeps the log until it was received, up to max_slot_wal_keep_size."""

from dataclasses import dataclass

from .server import connected

NAME = "healthrecords_receiver"


@dataclass(frozen=True)
class Slot:
    """The slot: whether it still holds its log, and how many bytes the database keeps for it."""

    lost: bool
    active: bool
    kept: int


def look() -> Slot | None:
    """Ask for the slot; None where there is none; raise DatabaseDown."""
    with connected() as connection:
        row = connection.execute(
            "SELECT coalesce(wal_status = 'lost', false), active, "
            "coalesce(pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn), 0)::bigint "
            "FROM pg_replication_slots WHERE slot_name = %s",
            [NAME],
        ).fetchone()
        return Slot(*row) if row else None


def ensure() -> bool:
    """Make the slot where it is missing or lost; return whether it was made: the log before it may have a gap."""
    found = look()
    if found and not found.lost:
        return False
    with connected() as connection:
        if found:
            connection.execute("SELECT pg_drop_replication_slot(%s)", [NAME])
        connection.execute("SELECT pg_create_physical_replication_slot(%s, true)", [NAME])
    return True
