"""services: which processes of the server run, and what they last said."""

from typing import Annotated

import typer
from django.conf import settings
from django_typer.management import command

from healthrecords.cli import Group, Result, counted, error, verb
from healthrecords.settings.environment import DATA_DIR
from ops.services import local, remote

Tail = Annotated[int, typer.Option(min=1, max=10_000, help="How many lines.")]


class Command(Group):
    help = "Services: the processes of the server, and their logs."
    opens_sealed = False

    @command()
    @verb()
    def status(self) -> Result:
        """Each process with its id, since when it runs, how often it came back, its memory."""
        found = local.services(DATA_DIR) if settings.EMBEDDED else remote.services()
        data = {"services": [each.as_row() for each in found]}
        wrong = [each for each in found if each.state != "running"]
        if len(wrong) == len(found):
            return Result("The server is not running; start it.", data, "problem")
        if wrong:
            return Result(f"Not running: {', '.join(each.service for each in wrong)}.", data, "problem")
        return Result(f"{counted(len(found), 'service')} run.", data)

    @command()
    @verb()
    def logs(
        self, service: Annotated[str, typer.Argument(help="As `services status` names it.")], tail: Tail = 100
    ) -> Result:
        """The last lines of a service's log; no personal data is in it."""
        if not settings.EMBEDDED:
            return error(f"The container engine keeps the logs: docker compose logs --tail {tail} {service}")
        lines = local.log(DATA_DIR, service, tail)
        return Result(f"{counted(len(lines), 'line')} of {service}.", {"log": "\n".join(lines)}, alone="log")
