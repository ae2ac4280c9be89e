"""access: who looked at what, and what left."""

import os
from pathlib import Path
from typing import Annotated

import typer
from django.core.exceptions import ValidationError
from django_typer.management import command

from compliance.accounting import disclosures, document
from compliance.phi_access import report
from compliance.review.accesses import patient_named
from healthrecords.cli import Group, Result, counted, verb

SHOWN = ("time", "actor", "action", "outcome", "patient", "resources", "purpose", "request")


class Command(Group):
    help = "The access log: who read, changed or was denied which patient's data."

    @command()
    @verb()
    def log(
        self,
        patient: Annotated[str, typer.Option(help="Logical id of a patient.")] = "",
        actor: Annotated[str, typer.Option(help="Name of a person, token or account.")] = "",
        since: Annotated[str, typer.Option(help="A date, a time (UTC), or a span such as 2h or 7d.")] = "",
        limit: Annotated[int, typer.Option(help="The newest so many rows.")] = 100,
    ) -> Result:
        """Show the rows of the access log, newest last; this reading leaves its own row."""
        filters = report.Filters(patient, actor, report.since(since))
        page = report.read(filters, limit, self.request)
        older = "; there are older ones, see --limit" if page.more else ""
        events = [report.as_row(event) for event in page.events]
        return Result(f"{counted(len(events), 'event')}{older}.", {"events": events}, columns={"events": SHOWN})

    @command()
    @verb(changes=True)
    def accounting(
        self,
        patient: Annotated[str, typer.Argument(help="Logical id or record number of a patient.")],
        pdf: Annotated[Path | None, typer.Option(help="Write the document for the patient to this file.")] = None,
    ) -> Result:
        """Account for the disclosures of a patient's records in six years (45 CFR 164.528)."""
        found = disclosures.account(patient_named(patient), self.request.to("export"))
        if pdf:
            _write(pdf, document.as_pdf(found))
        rows = [vars(line) for line in found.lines]
        return Result(f"{counted(len(rows), 'line')} since {found.since}.", {"lines": rows})


def _write(path: Path, content: bytes) -> None:
    """Write a file that only its owner reads; one that is there already is left alone."""
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(content)
    except OSError as fault:
        raise ValidationError(f"{path} cannot be written: {fault.strerror}.") from None
