"""fhir: what the FHIR API is made of, checked from the host."""

from pathlib import Path
from typing import Annotated

import typer
from django_typer.management import command

from healthrecords.cli import Group, Result, counted, error, verb
from healthrecords.fhir.validation import score as scoring


class Command(Group):
    help = "The FHIR API's validator, measured."
    opens_sealed = False

    @command()
    @verb()
    def score(
        self,
        sources: Annotated[list[Path], typer.Argument(help="Files of labelled cases, or folders of examples.")],
        markdown: Annotated[Path | None, typer.Option(help="A document whose marked table is replaced.")] = None,
        invalid: Annotated[
            list[str] | None, typer.Option(help="An example of a folder that is known as invalid.")
        ] = None,
    ) -> Result:
        """Validate labelled cases and count: valid ones passed, invalid ones refused, faults located."""
        try:
            known = frozenset(invalid or ())
            found = scoring.score(case for source in sources for case in scoring.cases_in(source, known))
            if markdown:
                scoring.write_into(markdown, scoring.as_markdown(found))
        except (scoring.BadSource, OSError) as fault:
            return error(str(fault))
        return _told(found)


def _told(found: scoring.Score) -> Result:
    total = found.total
    summary = (
        f"{total.passed} of {counted(total.valid, 'valid case')} passed,"
        f" {total.refused} of {total.invalid} invalid ones refused,"
        f" {total.located} of {counted(total.placed, 'known place')} named."
    )
    rows = [vars(row) for row in (*found.rows, total)]
    wrong = [{"case": each} for each in found.wrong]
    return Result(summary, {"types": rows, "wrong": wrong}, "problem" if found.wrong else "good")
