"""schedule: the timetable, how each of its jobs stands, and a run of one now."""

from typing import Annotated, Any

import typer
from django.utils import timezone
from django_typer.management import command

from healthrecords.cli import Group, Result, counted, error, verb
from healthrecords.schedule import JOBS
from ops.schedule import running, status


class Command(Group):
    help = "Schedule: every recurring job, when it runs, how it stands, and a run of one now."

    @command(name="list")
    @verb()
    def list_(self) -> Result:
        """Every job with its time, its objective and how late it may begin; the next turn is as it stands now."""
        rows = [status.timetable_row(each) for each in status.all_jobs(timezone.now())]
        return Result(f"{counted(len(rows), 'job')}; times are UTC.", {"jobs": rows})

    @command()
    @verb()
    def status(self) -> Result:
        """How each job stands, and whether beat and the workers live; 1 where something is wrong."""
        now = timezone.now()
        jobs, processes = status.all_jobs(now), status.processes(now)
        wrong = sum(bool(each.trouble) for each in jobs) + sum(each["silent"] for each in processes)
        data: dict[str, Any] = {"processes": processes, "jobs": [status.standing_row(each) for each in jobs]}
        if not wrong:
            return Result("Every job was run in its time.", data)
        return Result(f"{counted(wrong, 'trouble')}: see the column of troubles.", data, "problem")

    @command()
    @verb(changes=True)
    def run(self, job: Annotated[str, typer.Argument(help="A name that `schedule list` gives.")]) -> Result:
        """Run a job here and now, in this process, unless a run of it goes on; ends as the job ends."""
        if job not in running.BY_NAME:
            return error(f"There is no job {job}; `schedule list` names {counted(len(JOBS), 'job')}.")
        try:
            standing = running.perform(job, self.request.actor.name)
        except running.Busy as busy:
            return error(str(busy))
        return status.ended(standing)
