"""performance: what is slow, what waits, what grows."""

import time
from typing import Annotated, Any

import typer
from django_typer.management import command

from healthrecords.cli import Group, Result, counted, verb
from ops.performance import activity, pools, processes, resources, statements, targets
from ops.performance.statements import Order

TOO_MANY = 0.8  # of the sessions that the server takes


class Command(Group):
    help = "Looks into the database, the machine and the running processes; shows no value of any statement."
    opens_sealed = False

    @command()
    @verb()
    def pool(self) -> Result:
        """Show the pools of database connections of each process."""
        found = pools.of(processes.running())
        full = [each for each in found if each.use >= pools.TARGET or each.waiting]
        summary = f"{counted(len(found), 'pool')}, none fuller than {100 * pools.TARGET:.0f} %."
        if full:
            names = ", ".join(f"{each.alias} of {each.process}" for each in full)
            summary = (
                f"Full or waited for: {names}. `performance connections` shows what holds them; "
                "HEALTHCARE_DATABASE_POOL makes them larger."
            )
        return Result(summary, {"pools": [each.as_row() for each in found]}, "problem" if full else "good")

    @command()
    @verb(changes=True)
    def locks(
        self, end: Annotated[int, typer.Option(help="End this session: its transaction is rolled back.")] = 0
    ) -> Result:
        """Show who waits for whom, and end a session that holds others up."""
        if end:
            activity.end(end)
            return Result(f"Session {end} was ended, and its transaction rolled back.", {"ended": end})
        rows = activity.tree(activity.sessions())
        if not rows:
            return Result("Nobody waits for anybody.", {"locks": []}, recordable=False)
        waiting = [each for each in rows if each.depth]
        first, longest = rows[0].session, max(each.session.waiting for each in waiting)
        return Result(
            f"{counted(len(waiting), 'session')} waiting, the longest for {longest:.1f} s. "
            f"To end the one that holds others up: `performance locks --end {first.pid}`.",
            {"locks": [each.as_row() for each in rows]},
            "problem",
            recordable=False,
        )

    @command()
    @verb()
    def connections(self) -> Result:
        """Show which session does what, and which keep a transaction open in which nothing happens."""
        found, most = activity.sessions(), activity.most()
        forgotten = [each for each in found if each.forgotten]
        parts = [f"{len(found)} of {most} sessions."]
        if forgotten:
            numbers = ", ".join(str(each.pid) for each in forgotten)
            parts.append(
                f"Idle in a transaction for more than {activity.IDLE:.0f} s: {numbers}; they keep locks and dead rows. "
                f"`performance locks --end {forgotten[0].pid}` ends one."
            )
        bad = bool(forgotten) or len(found) > TOO_MANY * most
        return Result(" ".join(parts), {"sessions": [each.as_row() for each in found]}, "problem" if bad else "good")

    @command()
    @verb()
    def queries(
        self,
        order: Annotated[Order, typer.Option(help="total, mean, max or calls.")] = "total",
        limit: Annotated[int, typer.Option(min=1, max=100)] = 10,
        plan: Annotated[str, typer.Option(help="Show the plan of the statement with this id, for any values.")] = "",
    ) -> Result:
        """Show the statements that take the most time, by their form; or the plan of one."""
        if plan:
            lines = statements.plan(plan)
            return Result("The plan for any values; the statement was not run.", {"plan": lines})
        found = statements.slowest(order, limit)
        return Result(f"The first {len(found)} by {order}.", {"queries": [each.as_row() for each in found]})

    @command(name="resources")
    @verb()
    def resources_(self) -> Result:
        """Show processor, memory and disks, and what our programs use."""
        machine, ours = resources.machine(), resources.programs()
        over = [row["resource"] for row in machine if row["target"] and row["percent"] >= row["target"]]
        summary = (
            f"Over the target: {', '.join(over)}." if over else "Processor, memory and disks are within the targets."
        )
        return Result(summary, {"machine": machine, "programs": ours}, "problem" if over else "good")

    @command()
    @verb()
    def memory(
        self, trace: Annotated[int, typer.Option(min=0, max=600, help="Watch what grows for so many seconds.")] = 0
    ) -> Result:
        """Show the memory of each process and how it grew; with --trace, which lines of the program let it grow."""
        rows = [_memory(report) for report in processes.running()]
        summary = f"{len(rows)} processes, {sum(row['bytes'] for row in rows) / 1e6:.0f} MB."
        if not trace:
            return Result(summary, {"processes": rows})
        processes.ask("trace", seconds=trace)
        time.sleep(trace)
        grown = processes.ask("growth")
        places = [{"process": name, **place} for name, found in grown.items() for place in found]
        return Result(
            f"{summary} {len(grown)} of them told what grew in {trace} s, by line; what stays at the top over several "
            "runs is not given back.",
            {"processes": rows, "growth": places},
        )

    @command()
    @verb()
    def database(
        self,
        seconds: Annotated[float, typer.Option(min=1, max=60)] = 3.0,
        load: Annotated[int, typer.Option(min=0, max=50, help="Sessions that commit as fast as they can.")] = 0,
    ) -> Result:
        """Measure the four targets of the database: pool, query response, transactions, lock wait."""
        found = targets.measure(seconds, load)
        missed = [each.name for each in found if each.met is False]
        summary = f"Missed: {', '.join(missed)}." if missed else "No target is missed."
        return Result(summary, {"targets": [each.as_row() for each in found]}, "problem" if missed else "good")


def _memory(report: dict[str, Any]) -> dict[str, Any]:
    named, hours = {"process": f"{report['kind']} {report['pid']}"}, (time.time() - report["started"]) / 3600
    return named | {key: report[key] for key in ("host", "bytes", "grown", "threads")} | {"hours": round(hours, 1)}
