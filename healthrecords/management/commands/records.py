"""records: bring records in from files, and count them."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from django.core.management.base import CommandError
from django_typer.management import command

from healthrecords.cli import Group, Result, counted, error, progress, verb
from healthrecords.importing import counts, demo
from healthrecords.importing.deciding import OUTCOMES
from healthrecords.importing.files import BadFile, survey
from healthrecords.importing.importer import Busy, Importer, Report
from healthrecords.importing.replay import replay

Files = Annotated[list[Path], typer.Argument(metavar="FILE…", help="FHIR Bundles or NDJSON, plain or gzip.")]
Strict = Annotated[bool, typer.Option(help="All or nothing: one failure, and nothing is written.")]
Overwrite = Annotated[bool, typer.Option(help="Also replace records of this source that were changed here since.")]
Source = Annotated[str, typer.Option(help="Who the records come from; ids of another source are never taken over.")]


class Command(Group):
    help = "Records: import from files, take up what was kept, count, load the demo data."

    @command(name="import")
    @verb(changes=True, rehearses=True)
    def import_(
        self, files: Files, strict: Strict = False, overwrite: Overwrite = False, source: Source = "files"
    ) -> Result:
        """Import FHIR Bundles and NDJSON; the same file twice changes nothing, an interrupted one goes on."""
        importer = Importer(self.request, f"import:{source}", strict, overwrite)
        return _told(lambda: _import(importer, files))

    @command()
    @verb(changes=True, rehearses=True)
    def replay(self) -> Result:
        """Turn kept resources whose type is served by now into records."""
        return _told(lambda: replay(self.request))

    @command()
    @verb()
    def counts(self) -> Result:
        """Show live records, and resources kept aside, by type."""
        live, kept = counts.live(), counts.kept()
        summary = f"{counted(sum(live.values()), 'record')}; {counted(sum(kept.values()), 'resource')} kept aside."
        return Result(summary, {"live": live, "kept": kept})

    @command()
    @verb(changes=True)
    def demo(self) -> Result:
        """Load the demo data, where there are no real records."""
        try:
            return _told(lambda: demo.load(self.request))
        except demo.RealRecords:
            return error("There are real records here; demo data is never added to them.")


def _import(importer: Importer, files: Sequence[Path]) -> Report:
    surveys = [survey(path) for path in files]
    with progress("Importing", sum(each.size for each in surveys)) as advance:
        return importer.run(surveys, advance)


def _told(work: Callable[[], Report]) -> Result:
    """The result of an import; what stops it as a whole becomes a sentence."""
    try:
        return _result(work())
    except BadFile as fault:
        raise CommandError(str(fault)) from None
    except Busy:
        return error("Another import is running; wait until it has ended.")
    except KeyboardInterrupt:
        return error("Interrupted; the same command goes on from here.")


def _result(report: Report) -> Result:
    totals = ", ".join(f"{report.total(outcome):,} {outcome}" for outcome in OUTCOMES)
    went_on = f" Went on after {report.resumed:,} that an earlier run had done." if report.resumed else ""
    undone = "" if report.written else " Nothing was written, since not everything could be."
    data: dict[str, Any] = {**report.counts, "failures": [failure.as_row() for failure in report.failures]}
    return Result(f"{totals}.{went_on}{undone}", data, outcome="problem" if report.total("failed") else "good")
