"""Import files: batch by batch, each with its progress in one transaction, so that an interruption costs nothing."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from itertools import islice

from django.db import DatabaseError, InterfaceError, OperationalError, connection, transaction

from healthrecords.access.request import AccessRequest

from .deciding import OUTCOMES, Outcome
from .faults import Failure
from .files import Survey
from .models import ImportProgress
from .reading import Advance, Item, items
from .writing import Done, Writer, batches

BATCH = 200  # resources of one transaction
_LOCK = 0x68725F696D706F72  # 'hr_impor': one import at a time
_FAILURES_SHOWN = 1000

Counts = dict[str, dict[str, int]]


class Busy(Exception):
    """Another import is running."""


@dataclass
class Report:
    """What became of everything: numbers by outcome and resource type, and the first failures with their places."""

    counts: Counts = field(default_factory=lambda: {outcome: {} for outcome in OUTCOMES})
    failures: list[Failure] = field(default_factory=list)
    written: bool = True
    resumed: int = 0

    def count(self, outcome: Outcome, kind: str, number: int = 1) -> None:
        """Add to a number."""
        by_type = self.counts[outcome]
        by_type[kind] = by_type.get(kind, 0) + number

    def note(self, done: Done) -> None:
        """Count an item, and remember why it failed."""
        self.count(done.outcome, done.item.resource_type)
        for path, reason in done.reasons[: _FAILURES_SHOWN - len(self.failures)]:
            self.failures.append(Failure(done.item.place, done.item.resource_type, path, reason))

    def resume(self, progress: ImportProgress) -> None:
        """Take over what an earlier, interrupted run has done."""
        self.add(progress.counts)
        self.resumed += progress.done

    def add(self, counts: Counts) -> None:
        """Add numbers."""
        for outcome in OUTCOMES:
            for kind, number in counts.get(outcome, {}).items():
                self.count(outcome, kind, number)

    def total(self, outcome: Outcome) -> int:
        """How many resources of all types had this outcome."""
        return sum(self.counts[outcome].values())


@dataclass
class Importer:
    """Imports files for one source. `strict`: all or nothing; `overwrite`: also what was changed here since."""

    request: AccessRequest
    source: str
    strict: bool = False
    overwrite: bool = False

    def run(self, surveys: Sequence[Survey], advance: Advance = lambda _: None) -> Report:
        """Import surveyed files in order, telling `advance` the bytes read; raise BadFile, or Busy."""
        report = Report()
        with alone(), transaction.atomic() if self.strict else nullcontext():
            for surveyed in surveys:
                self._import(surveyed, report, advance)
            if self.strict and report.total("failed"):
                transaction.set_rollback(True)
                report.written = False
        return report

    def _import(self, surveyed: Survey, report: Report, advance: Advance) -> None:
        progress = _Progress(_name(self, surveyed), fresh=self.strict)
        report.resume(progress.row)
        writer = Writer(self.request, self.source, self.overwrite)
        rest = islice(items(surveyed, advance), progress.row.done, None)
        for batch in batches(rest, BATCH):
            for done in attempt(writer, batch, progress.move):
                report.note(done)
        progress.forget()


def attempt(writer: Writer, batch: Sequence[Item], finish: Callable[[list[Done]], None]) -> list[Done]:
    """Write a batch and what `finish` writes in one transaction; if the database refuses it, each item on its own."""
    broken = [Done(item, "failed", [("", item.fault)]) for item in batch if item.fault]
    sound = [item for item in batch if not item.fault]
    try:
        with transaction.atomic():
            done = [*broken, *writer.write(sound)]
            finish(done)
    except (OperationalError, InterfaceError):
        raise
    except DatabaseError:
        done = [*broken, *(one for item in sound for one in _singly(writer, item))]
        finish(done)
    return done


def _singly(writer: Writer, item: Item) -> list[Done]:
    try:
        return writer.write([item])
    except (OperationalError, InterfaceError):
        raise
    except DatabaseError as fault:
        return [Done(item, "failed", [("", f"The database refuses it ({type(fault).__name__}).")])]


def _name(importer: Importer, surveyed: Survey) -> str:
    """What progress is kept under: the same content from the same source in the same way."""
    what = f"{importer.source}|{importer.overwrite}|{surveyed.digest}"
    return hashlib.sha256(what.encode()).hexdigest()


class _Progress:
    """How far a file has come; remembered with each batch, forgotten at the end."""

    def __init__(self, name: str, fresh: bool) -> None:
        kept = None if fresh else ImportProgress.objects.filter(pk=name).first()
        self.row = kept or ImportProgress(file_digest=name)

    def move(self, done: list[Done]) -> None:
        """Remember that these are dealt with."""
        report = Report()
        report.add(self.row.counts)
        for each in done:
            report.count(each.outcome, each.item.resource_type)
        moved = ImportProgress(self.row.pk, self.row.done + len(done), report.counts)
        moved.save()
        self.row = moved

    def forget(self) -> None:
        """The file is done: a later import of it starts at its beginning."""
        ImportProgress.objects.filter(pk=self.row.pk).delete()


@contextmanager
def alone() -> Iterator[None]:
    """Hold the lock of imports; raise Busy if another one has it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [_LOCK])
        if not cursor.fetchone()[0]:
            raise Busy
    try:
        yield
    finally:
        if connection.is_usable():
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [_LOCK])
