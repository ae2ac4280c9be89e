"""Load code tables: compare a file with what is known, keep the history, all files or none."""

import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from gzip import decompress
from importlib.resources import files
from typing import Any

from django.db import connections, transaction
from django.db.models import QuerySet

from immunizations.codes import lookup
from immunizations.codes.formats import Listing, Row, read
from immunizations.codes.models import CodeRelease, CodeRow, CodeTable

_LOCK = 0x636F6465  # "code": the advisory lock of those who load
_MOST_RETIRED = 0.2  # the share of a table that a sound file retires at once


class Refused(Exception):
    """Files that are not loaded; the text is one sentence."""


@dataclass
class Change:
    """What a file changes in its table, by the keys of the rows."""

    listing: Listing
    as_of: date
    before: CodeRelease | None
    added: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    retired: list[str] = field(default_factory=list)

    @property
    def is_nothing(self) -> bool:
        """Whether the table is the same, and not known to be newer."""
        same_day = self.before is not None and self.before.as_of == self.as_of
        return same_day and not (self.added or self.changed or self.retired)


def load(listings: Sequence[tuple[Listing, date]], force: bool = False, using: str = "default") -> list[Change]:
    """Load files with the day of each, all or none, and return what changed.

    Raise Refused for two files of one table and, unless `force`, for a file older than what is loaded or one that would
    retire more than a fifth of its table. What is the same as before leaves no trace.
    """
    _refuse_twice([listing for listing, _ in listings])
    with transaction.atomic(using=using):
        with connections[using].cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        changes = [_compare(listing, as_of, using) for listing, as_of in listings]
        for change in changes if not force else ():
            _refuse_doubtful(change, using)
        for change in changes:
            _write(change, using)
    lookup.forget()
    return changes


def shipped() -> tuple[date, list[Listing]]:
    """Return the tables that come with this version, and their day."""
    folder = files("immunizations.codes") / "data"
    release = tomllib.loads((folder / "release.toml").read_text())
    names: list[str] = release["files"]
    return release["as_of"], [read(decompress((folder / name).read_bytes()), name) for name in names]


def load_shipped(using: str = "default") -> list[Change]:
    """Load what ships into each table that has nothing of that day or newer; cheap where there is nothing to do."""
    as_of = tomllib.loads((files("immunizations.codes") / "data" / "release.toml").read_text())["as_of"]
    newest = latest(using)
    if all(table in newest and newest[table].as_of >= as_of for table in CodeTable):
        return []
    _, listings = shipped()
    older = [each for each in listings if each.table not in newest or newest[each.table].as_of < as_of]
    return load([(listing, as_of) for listing in older], force=True, using=using)


def after_migrate(sender: Any, using: str, **_: Any) -> None:
    """Give a fresh or upgraded server its codes, as the role that migrates; quiet while the tables do not exist."""
    if CodeRow._meta.db_table in connections[using].introspection.table_names():
        load_shipped(using)


def latest(using: str = "default") -> dict[CodeTable, CodeRelease]:
    """Return the newest release of each table that has one."""
    rows = CodeRelease.objects.using(using).order_by("table", "-pk").distinct("table")
    return {CodeTable(row.table): row for row in rows}


# --- One file -----------------------------------------------------------------------------------------------------


def _refuse_twice(listings: Iterable[Listing]) -> None:
    seen: dict[CodeTable, str] = {}
    for listing in listings:
        if listing.table in seen:
            raise Refused(f"{seen[listing.table]} and {listing.source} are the same table; load one of them.")
        seen[listing.table] = listing.source


def _compare(listing: Listing, as_of: date, using: str) -> Change:
    change = Change(listing, as_of, CodeRelease.objects.using(using).filter(table=listing.table).first())
    known = {row.key: row for row in _holding(listing.table, using)}
    for key, fields in listing.rows.items():
        if key not in known:
            change.added.append(key)
        elif known[key].retired or known[key].fields != fields:
            change.changed.append(key)
    change.retired = [key for key, row in known.items() if not row.retired and key not in listing.rows]
    return change


def _holding(table: CodeTable, using: str, keys: Sequence[str] | None = None) -> QuerySet[CodeRow]:
    """The rows that hold now, of all keys or of those given."""
    rows = CodeRow.objects.using(using).filter(table=table, until=None)
    return rows if keys is None else rows.filter(key__in=keys)


def _refuse_doubtful(change: Change, using: str) -> None:
    before, listing = change.before, change.listing
    if before is None:
        return
    if change.as_of < before.as_of:
        raise Refused(
            f"{listing.source} is of {change.as_of}, older than what is loaded ({before.as_of}); see --force."
        )
    if listing.newest_change and before.newest_change and listing.newest_change < before.newest_change:
        raise Refused(
            f"The newest change in {listing.source} is of {listing.newest_change}, but one of {before.newest_change} "
            "is loaded; fetch the file again, or see --force."
        )
    if len(change.retired) > _MOST_RETIRED * before.rows:
        raise Refused(
            f"{listing.source} would retire {len(change.retired)} of {before.rows} rows, as if a part of it "
            "were missing; fetch it again, or see --force."
        )


def _write(change: Change, using: str) -> None:
    if change.is_nothing:
        return
    release = _release(change)
    release.save(using=using)
    replaced = {row.key: row for row in _holding(change.listing.table, using, change.changed + change.retired)}
    gone: list[Row] = [replaced[key].fields for key in change.retired]
    CodeRow.objects.using(using).filter(pk__in=[row.pk for row in replaced.values()]).update(until=release)
    rows = [_row(change, key, change.listing.rows[key], release) for key in (*change.added, *change.changed)]
    rows += [_row(change, key, fields, release, retired=True) for key, fields in zip(change.retired, gone, strict=True)]
    CodeRow.objects.using(using).bulk_create(rows, batch_size=1000)


def _release(change: Change) -> CodeRelease:
    listing = change.listing
    return CodeRelease(
        table=listing.table,
        source=listing.source,
        as_of=change.as_of,
        newest_change=listing.newest_change,
        rows=len(listing.rows),
        added=len(change.added),
        changed=len(change.changed),
        retired=len(change.retired),
    )


def _row(change: Change, key: str, fields: Row, release: CodeRelease, retired: bool = False) -> CodeRow:
    return CodeRow(table=change.listing.table, key=key, fields=fields, since=release, retired=retired)
