"""access: who looked at what."""

from typing import Annotated

import typer
from django_typer.management import command

from compliance.phi_access import report
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
