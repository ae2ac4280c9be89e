"""health: whether the server and all that it leans on is well, what is wrong, and what to do next."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from django.utils import timezone
from django_typer.management import command

from healthrecords.cli import DryRun, Group, Result, counted, progress, verb
from ops.health import connecting, looking, registry, smoke, system
from ops.health.registry import Told

CHECKS: dict[str, Sequence[str]] = {"checks": ["check", "state", "found", "since", "next_step"]}
STEPS: dict[str, Sequence[str]] = {"steps": ["check", "state", "found", "next_step"]}
Timeout = Annotated[float, typer.Option(min=0, help="Seconds to wait at most.")]


class Command(Group):
    help = "Health: of all parts, of one, of the records; the way to the database; a journey through the server."
    opens_sealed = False

    @command(name="all")
    @verb()
    def all_(self) -> Result:
        """Ask every part, each with its own time limit."""
        return _asked(*registry.GROUPS)

    @command()
    @verb()
    def database(self) -> Result:
        """PostgreSQL: does it answer, fit this version, and have room."""
        return _asked("database")

    @command()
    @verb()
    def cache(self) -> Result:
        """The cache, its memory, and the queue of background work in the same server."""
        return _asked("cache")

    @command()
    @verb()
    def external(self) -> Result:
        """Object store, mail, virus scanner, witness, backup repository, provider of sign-ins."""
        return _asked("external")

    @command()
    @verb()
    def monitoring(self) -> Result:
        """Our metrics, Prometheus, Alertmanager, Grafana: those that the settings name."""
        return _asked("monitoring")

    @command()
    @verb(changes=True)
    def integrity(self) -> Result:
        """Pages, constraints, references, documents in the store, FHIR, the audit trail. Takes minutes."""
        return _asked("integrity", in_turn=True)

    @command()
    @verb()
    def connection(self) -> Result:
        """Walk to the database step by step: name, port, TLS, authentication, database, rights, a query."""
        return _walked(list(connecting.steps()))

    @command()
    @verb()
    def wait(self, timeout: Timeout = 60.0) -> Result:
        """Wait until the database answers; 1 when it does not in time."""
        return _walked(connecting.wait(timeout, self._say))

    @command()
    @verb(changes=True)
    def smoke(self, dry_run: DryRun = False) -> Result:
        """Walk once through the API and the admin on a marked test patient, and clean up."""
        if dry_run:
            named = [{"step": step.__name__.replace("_", "-")} for step in (*smoke.STEPS, *smoke.LAST)]
            return Result("Dry run, nothing was asked.", {"dry_run": True, "steps": named}, recordable=False)
        with progress("Walking", len(smoke.STEPS) + len(smoke.LAST)) as advance:
            told = []
            for each in smoke.journey(self.request):
                told.append(each)
                advance(1)
        return _journeyed(told)

    @command()
    @verb(changes=True)
    def system(
        self, report: Annotated[Path | None, typer.Option(help="Where to: FILE.html and FILE.json are written.")] = None
    ) -> Result:
        """Ask everything: the way to the database, all parts, integrity, the journey; write a report."""
        stem = report or system.place(timezone.now())
        found = system.examine(self.request, self._say)
        files = [str(path) for path in system.write(found, stem)]
        data = {"checks": [each.as_row() for each in found.told], "report": files}
        return _recordable(Result(
            f"{found.summary} The report is in {' and '.join(files)}.", data, "problem" if found.wrong else "good",
            columns=CHECKS,
        ), found.wrong)  # fmt: skip

    def _say(self, line: str) -> None:
        self.stderr.write(f"{line}\n")


def _recordable(result: Result, wrong: list[Told]) -> Result:
    """A run leaves no record where the database that would keep it is down."""
    result.recordable = "database" not in {each.check for each in wrong}
    return result


def _journeyed(told: list[Told]) -> Result:
    wrong = [each for each in told if each.state != "good"]
    data = {"steps": [each.as_row() for each in told]}
    if not wrong:
        return Result(f"All {len(told)} steps went well.", data, columns=STEPS)
    return Result(f"{wrong[0].check}: {wrong[0].text} {wrong[0].next_step}", data, "problem", columns=STEPS)


def _asked(*groups: str, in_turn: bool = False) -> Result:
    """Ask the checks of the groups and tell what they said."""
    chosen = registry.of(*groups)
    with progress("Checking", len(chosen)) as advance:
        return _told(looking.with_age(registry.run(chosen, in_turn=in_turn, done=lambda _: advance(1))))


def _told(told: list[Told]) -> Result:
    wrong = [each for each in told if each.state == "problem"]
    good = sum(each.state == "good" for each in told)
    apart = [f"{counted(len(named), 'check')} {state}" for state in ("not configured", "not asked")
             if (named := [each for each in told if each.state == state])]  # fmt: skip
    summary = ", ".join([f"{good} of {counted(len(told), 'check')} good", *apart])
    verdict = f"Problems: {', '.join(each.check for each in wrong)}." if wrong else "Nothing is wrong."
    data = {"checks": [each.as_row() for each in told]}
    return _recordable(Result(f"{summary}. {verdict}", data, "problem" if wrong else "good", columns=CHECKS), wrong)


def _walked(told: list[Told]) -> Result:
    last, data = told[-1], {"steps": [each.as_row() for each in told]}
    if last.state == "good":
        return Result("The way to the database is open.", data, columns=STEPS)
    return Result(f"{last.text} {last.next_step}", data, "problem", columns=STEPS)
