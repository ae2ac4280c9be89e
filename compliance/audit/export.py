"""Writes the trail to a file, as NDJSON or CSV: the columns that are sealed, in the order of time."""

import csv
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Any, Literal

import orjson
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from compliance.audit.schema import LEAF
from compliance.phi_access.models import AccessEvent
from healthrecords import trail
from healthrecords.access.request import AccessRequest
from healthrecords.spreadsheet import harmless

Format = Literal["ndjson", "csv"]
Row = dict[str, Any]
_AT_ONCE = 2000  # rows that are held at a time


@dataclass(frozen=True)
class Span:
    """From `since`, inclusive, to `until`, exclusive; None is without an end."""

    since: datetime | None = None
    until: datetime | None = None

    def __str__(self) -> str:
        ends = (("from", self.since), ("until", self.until))
        return " ".join(f"{word} {timezone.localtime(end):%Y-%m-%d %H:%M:%S%z}" for word, end in ends if end) or "all"


def export(file: Path, span: Span, form: Format, by: AccessRequest) -> int:
    """Write the events of a span to a new file that its owner alone may read; return how many.

    The row that tells of the export is written before the file has its name. Raises ValidationError where there is a
    file already, or none can be made.
    """
    try:
        with _new(file) as out, transaction.atomic():
            rows = [0]
            _WRITERS[form](out, _counted(_rows(span), rows))
            detail = f"audit trail, {span}: {rows[0]} events as {form}"
            trail.record(by.to("export", "AccessEvent"), [trail.Fact("export", detail=detail)])
    except FileExistsError:
        raise ValidationError(f"{file} is there already; name another file.") from None
    except OSError as fault:
        raise ValidationError(f"{file} cannot be written ({fault.strerror}).") from None
    return rows[0]


def _rows(span: Span) -> Iterator[Row]:
    found = AccessEvent.objects.order_by("time", "uuid")
    found = found.filter(time__gte=span.since) if span.since else found
    found = found.filter(time__lt=span.until) if span.until else found
    return found.values(*LEAF).iterator(chunk_size=_AT_ONCE)


def _counted(rows: Iterable[Row], count: list[int]) -> Iterator[Row]:
    for row in rows:
        count[0] += 1
        yield {**row, "query_mac": row["query_mac"] and bytes(row["query_mac"]).hex()}


def _ndjson(out: IO[str], rows: Iterable[Row]) -> None:
    for row in rows:
        out.write(orjson.dumps(row, option=orjson.OPT_UTC_Z | orjson.OPT_APPEND_NEWLINE).decode())


def _csv(out: IO[str], rows: Iterable[Row]) -> None:
    writer = csv.writer(out)
    writer.writerow(LEAF)
    writer.writerows([harmless(_cell(row[name])) for name in LEAF] for row in rows)


def _cell(value: Any) -> str:
    if isinstance(value, list):
        return " ".join(map(str, value))
    return value.isoformat() if isinstance(value, datetime) else "" if value is None else str(value)


_WRITERS: dict[Format, Callable[[IO[str], Iterable[Row]], None]] = {"ndjson": _ndjson, "csv": _csv}


@contextmanager
def _new(path: Path) -> Iterator[IO[str]]:
    """A file that gets its name when it is whole; raise FileExistsError rather than write over one."""
    part = path.with_name(f".{path.name}.part")
    part.unlink(missing_ok=True)
    try:
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", newline="") as out:
            if path.exists():
                raise FileExistsError
            yield out
        os.link(part, path)
    finally:
        part.unlink(missing_ok=True)
