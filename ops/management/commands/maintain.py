"""maintain: statistics, dead rows, indexes, and the settings of PostgreSQL."""

from django_typer.management import command

from healthrecords.cli import DryRun, Group, Result, counted, progress, verb
from ops.maintenance import indexes, tables
from ops.maintenance.tables import Work


class Command(Group):
    help = "Maintenance of the database; never during a backup."
    opens_sealed = False

    @command()
    @verb(changes=True)
    def reindex(self, dry_run: DryRun = False) -> Result:
        """Rebuild every index, one at a time, while everybody works (REINDEX CONCURRENTLY)."""
        found, leftovers = indexes.plan()
        if dry_run:
            rows = [{"index": each.name, "table": each.table, "bytes": each.size} for each in found]
            names = [each.name for each in leftovers]
            return Result(
                f"{len(rows)} indexes would be rebuilt, {counted(len(names), 'leftover')} dropped.",
                {"dry_run": True, "indexes": rows, "leftovers": names},
            )
        with progress("Rebuilding", sum(each.size for each in found), of_bytes=True) as advance:
            done = indexes.rebuild(advance)
        data = {"indexes": done.done, "failed": done.failed, "leftovers": done.leftovers}
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


def _kept(work: Work, dry_run: bool) -> Result:
    found = tables.plan()
    if dry_run:
        rows = [{"table": each.name, "bytes": each.size, "rows": each.live, "dead": each.dead} for each in found]
        return Result(f"{counted(len(rows), 'table')} would be worked on.", {"dry_run": True, "tables": rows})
    with progress(work.capitalize(), sum(each.size for each in found), of_bytes=True) as advance:
        done = tables.keep(work, advance)
    data = {"tables": done.done, "failed": done.failed, "bloated": done.bloated, "held": done.held}
    return Result(tables.told(done), data, "problem" if done.failed or done.bloated else "good")
