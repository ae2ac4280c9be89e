"""documents: whether the store holds what the records say."""

from typing import Annotated, Any

import typer
from django_typer.management import command

from documents.checking import Findings, check, told
from documents.models import Content
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
