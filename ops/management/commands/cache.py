"""cache: what is in it and why, how often it helps, what has no owner, and what processes keep."""

from typing import Any

from django_typer.management import command

from healthrecords.cli import DryRun, Group, Result, counted, verb
from ops.caching import figures, survey
from ops.performance import processes


class Command(Group):
    help = "The cache (Valkey), and what processes keep for themselves."
    opens_sealed = False

    @command()
    @verb(changes=True)
    def warm(self) -> Result:
        """Let every running process load what it keeps: addresses, definitions, code tables."""
        asked, told = processes.running(), processes.ask("warm")
        rows = [{"process": name, **parts, "ms": sum(filter(None, parts.values()))} for name, parts in told.items()]
        failed = sorted({part for parts in told.values() for part, ms in parts.items() if ms is None})
        summary = f"{len(told)} of {len(asked)} running processes loaded everything."
        if failed:
            summary = f"Not loaded: {', '.join(failed)}; the process's log says why."
        return Result(summary, {"processes": rows}, "problem" if failed or len(told) < len(asked) else "good")

    @command()
    @verb()
    def patterns(self) -> Result:
        """Show which kinds of keys there are, how large, how long they live, and what each is for."""
        rows = survey.patterns()
        strays = sum(row["strays"] for row in rows)
        keys = counted(sum(row["keys"] for row in rows), "key")
        summary = f"{keys} of {counted(len(rows), 'kind')}, {sum(row['bytes'] for row in rows) / 1e6:.1f} MB."
        if strays:
            summary += f" {strays} should not be there; `cache cleanup` removes them."
        return Result(summary, {"kinds": rows}, "problem" if strays else "good")

    @command()
    @verb(changes=True)
    def cleanup(self, dry_run: DryRun = False) -> Result:
        """Remove keys that nothing owns, or that live longer than their kind may; what expired goes by itself."""
        found = survey.clean(dry_run)
        why: dict[str, int] = {}
        for each in found:
            why[each.stray] = why.get(each.stray, 0) + 1
        verb_ = "would be removed" if dry_run else "removed"
        return Result(f"{counted(len(found), 'key')} {verb_}.", {"dry_run": dry_run, "reasons": why})

    @command()
    @verb()
    def metrics(self) -> Result:
        """Show how often look-ups find something, by kind over all processes, and what the server counted."""
        rows, server = figures.by_kind(processes.reports()), figures.server()
        looked = sum(row["hits"] + row["misses"] for row in rows)
        return Result(
            f"{counted(looked, 'look-up')} by the running processes; {server['evicted']} keys went for want of memory.",
            {"kinds": rows, "server": server},
            "problem" if server["evicted"] else "good",
        )

    @command()
    @verb()
    def usage(self) -> Result:
        """Show the memory that the server uses, and its largest keys by their kind."""
        memory = figures.memory()
        return Result(_used(memory), {"memory": memory, "largest": survey.largest()}, _judged(memory))


def _used(memory: dict[str, Any]) -> str:
    used = f"{memory['bytes'] / 1e6:.1f} MB in use"
    if memory["most_bytes"] is None:
        return f"{used}, without a limit of its own."
    return f"{used}, {memory['percent']} % of what it may use."


def _judged(memory: dict[str, Any]) -> Any:
    return "problem" if memory["percent"] is not None and memory["percent"] > figures.TARGET else "good"
