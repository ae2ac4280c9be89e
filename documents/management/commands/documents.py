"""documents: whether the store holds what the records say, and whether it is free of viruses."""

from typing import Annotated, Any

import typer
from django.conf import settings
from django_typer.management import command

from documents.checking import Findings, check, told
from documents.models import Content
from documents.scanning import stored
from documents.storage import StoreFault
from healthrecords.cli import Group, Result, counted, error, progress, verb


class Command(Group):
    help = "Documents: compare the store of contents with the records."

    @command(name="check")  # Django's own commands have a method of that name
    @verb(changes=True)
    def check_(
        self, quick: Annotated[bool, typer.Option(help="Ask for sizes only; do not read the contents.")] = False
    ) -> Result:
        """Find objects without row, rows without object, and contents that differ; changes nothing."""
        try:
            with progress("Checking contents", Content.objects.count()) as advance:
                return _result(check(not quick, advance))
        except StoreFault as fault:
            return error(told(fault))

    @command(name="scan")
    @verb(changes=True)
    def scan(
        self,
        everything: Annotated[bool, typer.Option("--all", help="Also what has a verdict already.")] = False,
    ) -> Result:
        """Have the virus scanner look at the contents that wait for it; 1 if it found something or some still wait."""
        if not settings.CLAMAV:
            return error("No virus scanner is configured; set HEALTHCARE_CLAMAV.")
        try:
            with progress("Scanning contents", stored.due(everything).count()) as advance:
                return _scanned(stored.scan(everything, advance))
        except StoreFault as fault:
            return error(told(fault))


def _scanned(done: stored.Scanned) -> Result:
    summary = (
        f"{done.clean} clean, {len(done.infected)} newly infected, {len(done.released)} released; "
        f"{counted(done.waiting, 'content')} waiting, {done.refused} refused in all."
    )
    data: dict[str, Any] = {
        "scanner": done.scanner or "answers",
        "clean": done.clean,
        "infected": done.infected,
        "released": done.released,
        "unanswered": done.unanswered,
        "waiting": done.waiting,
        "refused": done.refused,
    }
    if done.scanner:
        return error(f"{done.scanner} {summary}", data=data)
    return Result(summary, data, "good" if done.good else "problem")


def _result(found: Findings) -> Result:
    data: dict[str, Any] = {
        "objects_without_row": found.without_row,
        "unfinished_uploads": found.unfinished,
        "contents_missing": found.missing,
        "contents_different": found.different,
    }
    summary = (
        f"{counted(found.contents, 'content')} looked at: {len(found.missing)} missing, {len(found.different)} "
        f"different. In the store: {len(found.without_row)} without row, {counted(len(found.unfinished), 'upload')} "
        "unfinished."
    )
    return Result(summary, data, "good" if found.good else "problem")
