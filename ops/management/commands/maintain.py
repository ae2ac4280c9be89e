"""maintain: statistics, dead rows, indexes, and the settings of PostgreSQL."""

from typing import Annotated

import typer
from django_typer.management import command

from healthrecords.cli import DryRun, Group, Result, counted, error, progress, verb
from ops.maintenance import findings, indexes, tables, tuning
from ops.maintenance.tables import Work

LISTED = 20  # indexes or tables that are shown, the largest


class Command(Group):
    help = "Maintenance of the database; never during a backup."
    opens_sealed = False

    @command()
    @verb(changes=True)
    def reindex(self, dry_run: DryRun = False) -> Result:
        """Rebuild every index, one at a time, while everybody works (REINDEX CONCURRENTLY)."""
        found, leftovers = indexes.plan()
        if dry_run:
            rows = [{"index": each.name, "table": each.table, "bytes": each.size} for each in reversed(found)]
            names = [each.name for each in leftovers]
            return Result(
                f"{len(rows)} indexes would be rebuilt, {counted(len(names), 'leftover')} dropped.",
                {"dry_run": True, "count": len(rows), "largest": rows[:LISTED], "leftovers": names},
            )
        with progress("Rebuilding", sum(each.size for each in found), of_bytes=True) as advance:
            done = indexes.rebuild(advance)
        largest = done.done[: -LISTED - 1 : -1]
        data = {"count": len(done.done), "largest": largest, "failed": done.failed, "leftovers": done.leftovers}
        return Result(indexes.told(done), data, "problem" if done.failed else "good")

    @command()
    @verb(changes=True)
    def vacuum(self, dry_run: DryRun = False) -> Result:
        """Make the room of dead rows usable again, and renew the planner's statistics, table by table."""
        return _kept("vacuum", dry_run)

    @command()
    @verb(changes=True)
    def analyze(self, dry_run: DryRun = False) -> Result:
        """Renew the planner's statistics, table by table."""
        return _kept("analyze", dry_run)

    @command()
    @verb(changes=True)
    def tune(
        self,
        *,
        memory: Annotated[
            int | None, typer.Option(min=256, help="MB that PostgreSQL may use; else half of this machine.")
        ] = None,
        cores: Annotated[int | None, typer.Option(min=1, help="Cores that it may use; else all.")] = None,
        disk: Annotated[str, typer.Option(help="ssd or hdd; else as this machine knows.")] = "",
        apply: Annotated[bool, typer.Option("--apply", help="Change them; else they are shown.")] = False,
        undo: Annotated[bool, typer.Option("--undo", help="Take back what was changed.")] = False,
        dry_run: DryRun = False,
    ) -> Result:
        """Compare PostgreSQL's settings with what the machine allows; change them with --apply."""
        if disk not in ("", "ssd", "hdd"):
            return error("--disk is ssd or hdd.")
        if undo and not dry_run:
            tuning.undo()
            return Result("The settings of the start hold again; for some only after a restart of PostgreSQL.")
        found = tuning.plan(memory, cores, disk)
        applies = apply and not dry_run
        if applies:
            tuning.apply(found)
        return Result(tuning.told(found, applies), {"settings": found.as_rows()}, recordable=applies)

    @command()
    @verb()
    def report(self) -> Result:
        """Show room that holds nothing, indexes nobody uses or that are there twice, tables long not frozen."""
        found = findings.find()
        data = {name: getattr(found, name) for name in ("bloat", "unused", "twice", "invalid", "old")}
        return Result(findings.told(found), {"wasted": found.wasted, **data}, "problem" if found.wrong else "good")


def _kept(work: Work, dry_run: bool) -> Result:
    found = tables.plan()
    if dry_run:
        rows = [
            {"table": each.name, "bytes": each.size, "rows": each.live, "dead": each.dead} for each in reversed(found)
        ]
        summary = f"{counted(len(rows), 'table')} would be worked on."
        return Result(summary, {"dry_run": True, "count": len(rows), "largest": rows[:LISTED]})
    with progress(work.capitalize(), sum(each.size for each in found), of_bytes=True) as advance:
        done = tables.keep(work, advance)
    largest = done.done[: -LISTED - 1 : -1]
    known = {"count": len(done.done), "largest": largest, "failed": done.failed}
    data = known | {"bloated": done.bloated, "held": done.held}
    return Result(tables.told(done), data, "problem" if done.failed or done.bloated else "good")
