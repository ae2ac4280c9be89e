"""Mend what `checking` finds, as far as that is safe: leftovers of uploads go, rows and their contents are left alone.

A row whose object is missing or differs is only told: it is not served as it is, and the object can come back from a
copy of the bucket. An object without row cannot be opened by anybody, since its key was in the row; yet a database that
was restored to an earlier time lacks rows too, so that only what has been there for a long time goes.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta

from django.core.exceptions import ValidationError
from django.db import connection
from django.utils import timezone

from . import storage
from .checking import Findings, check
from .models import Content

UPLOADS_AFTER = timedelta(days=1)  # no upload takes that long
STRAYS = 10  # so many objects without row are no sign of another database
_LOCK = 0x6D656E64  # "mend": the advisory lock of the one that runs


@dataclass
class Plan:
    """What to do: objects to remove and uploads to abort, by name; `findings` holds what only can be told."""

    findings: Findings
    remove: list[str]
    abort: list[str]


@dataclass
class Done:
    """What was done. `kept` are objects that the store did not let go, since it locks them."""

    removed: list[str] = field(default_factory=list)
    aborted: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)


def plan(after: timedelta) -> Plan:
    """What a run would do to objects that have been without row for `after`; raise StoreFault.

    Raises ValidationError where the store holds so many objects without row that the database must be another one.
    """
    found, now = check(read=False), timezone.now()
    remove = [name for name, since in found.without_row.items() if since < now - after]
    if len(remove) > max(STRAYS, found.contents):
        raise ValidationError(
            f"{len(remove)} objects have no row and {found.contents} have one: this database is not that of this store."
        )
    return Plan(found, remove, sorted(set(storage.unfinished(now - UPLOADS_AFTER))))


def carry_out(made: Plan) -> Done:
    """Do what a plan says; what has got its row, or is gone, in the meantime is passed over. Raise StoreFault."""
    done = Done()
    for name in made.remove:
        if not Content.objects.filter(object_name=name).exists():
            try:
                storage.remove(name)
            except storage.Locked:
                done.kept.append(name)
            else:
                done.removed.append(name)
    for name in made.abort:
        storage.abort(name, timezone.now() - UPLOADS_AFTER)
        done.aborted.append(name)
    return done


@contextmanager
def alone() -> Iterator[None]:
    """Raise ValidationError where another run mends already."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [_LOCK])
        if not cursor.fetchone()[0]:
            raise ValidationError("Another run mends the documents now; wait for its end.")
        try:
            yield
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [_LOCK])
