"""restore: bring back the database, documents, and archives of all else."""

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from django.utils.dateparse import parse_datetime
from django.utils.timezone import is_naive
from django_typer.management import command

from documents.models import Content
from healthrecords.cli import DryRun, Group, Result, counted, progress, verb
from ops.archives.entries import Kind
from ops.backup.faults import BackupFault
from ops.backup.place import place
from ops.backup.repository import repository
from ops.restore import archives, keeping
from ops.restore import documents as lost_documents
from ops.restore import plan as plans
from ops.restore.restoring import restore
from ops.restore.target import target as target_named

Archive = Annotated[str, typer.Argument(help="The id of an archive, or `latest`.")]
Folder = Annotated[Path | None, typer.Option("--target", help="An empty or a new directory.")]
Replace = Annotated[bool, typer.Option(help="Put it in the place of what is there, which is kept beside it.")]
Backup = Annotated[str, typer.Argument(help="The id of a backup, or `latest`.")]


class Command(Group):
    help = "Restores: the plan first, then the database."
    opens_sealed = False

    @command()
    @verb(changes=True)
    def database(
        self,
        backup: Backup,
        *,
        to_time: Annotated[str, typer.Option(help="Stop at this time, such as 2026-03-01T12:30:00Z.")] = "",
        to_point: Annotated[str, typer.Option(help="Stop at this named point.")] = "",
        target: Annotated[str, typer.Option(help="An empty directory, or new-instance.")] = "",
        accept_gap: Annotated[bool, typer.Option(help="Restore what comes before a gap in the log.")] = False,
        from_dump: Annotated[bool, typer.Option(help="Load an archive's dump, also of another major version.")] = False,
        dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the plan and change nothing.")] = False,
    ) -> Result:
        """Restore a backup and the log after it; the running server is never touched."""
        where, source = place(), repository()
        wanted = plans.Wanted(backup, _time(to_time), to_point or None, accept_gap, from_dump)
        plan = plans.make(wanted, target_named(target or None), source, where)
        if dry_run:
            return Result(
                "This is what a restore would do; nothing was changed.", {"plan": plans.as_rows(plan)}, recordable=False
            )
        for name, value in plans.as_rows(plan).items():
            self._tell(f"{name:>12}: {value}")
        with progress("Restoring", plan.fetched, of_bytes=True) as advance:
            done = restore(plan, source, where, self._tell, advance)
        kept = f" What was there is kept in {done.kept}." if done.kept else ""
        if plan.target.runs:
            kept = f" It runs on 127.0.0.1:{keeping.start(done.folder)}; stop it with `pg_ctl stop -D {done.folder}`."
        return Result(
            f"Restored {plan.base.id} to {plan.ends} in {done.seconds:.1f} s, into {done.folder}.{kept}",
            {"id": done.id, "seconds": round(done.seconds, 1), "rows": done.findings.rows},
            recordable=False,
        )

    @command()
    @verb(changes=True)
    def documents(
        self,
        quick: Annotated[bool, typer.Option(help="Find by size alone what the store holds damaged.")] = False,
        dry_run: DryRun = False,
    ) -> Result:
        """Bring back from their copy the documents that the store lacks or holds damaged; the others are left alone."""
        with progress("Comparing", Content.objects.count()) as advance:
            plan = lost_documents.make(quick, advance)
        data: dict[str, Any] = {"plan": plan.as_rows(), "lost": list(plan.lost)}
        if dry_run:
            sentence = "This is what a restore would do; nothing was changed."
            return Result(sentence, {"dry_run": True, **data}, "problem" if plan.lost else "good")
        with progress("Restoring", plan.size, of_bytes=True) as advance:
            done = lost_documents.restore(plan, advance)
        kept = f" What was damaged is kept in {plan.kept}." if plan.damaged else ""
        failed = f" {counted(len(done.failed), 'document')} could not be restored." if done.failed else ""
        return Result(
            f"Restored {counted(len(done.done), 'document')} in {done.seconds:.1f} s, each as its record says."
            f"{kept}{failed}",
            {**data, "restored": len(done.done), "failed": done.failed},
            "problem" if done.failed else "good",
        )

    @command()
    @verb(changes=True)
    def config(
        self, archive: Archive = "latest", *, target: Folder = None, replace: Replace = False, dry_run: DryRun = False
    ) -> Result:
        """Unpack the configuration; its keys need the offline private key in HEALTHCARE_BACKUP_IDENTITY_FILE."""
        return self._unpacked("config", archive, target, replace, dry_run)

    @command()
    @verb(changes=True)
    def logs(
        self, archive: Archive = "latest", *, target: Folder = None, replace: Replace = False, dry_run: DryRun = False
    ) -> Result:
        """Unpack log files."""
        return self._unpacked("logs", archive, target, replace, dry_run)

    @command()
    @verb(changes=True)
    def application(
        self, archive: Archive = "latest", *, target: Folder = None, replace: Replace = False, dry_run: DryRun = False
    ) -> Result:
        """Unpack the source of a version."""
        return self._unpacked("application", archive, target, replace, dry_run)

    def _unpacked(self, kind: Kind, archive: str, target: Path | None, replace: bool, dry_run: bool) -> Result:
        plan = archives.make(kind, archive, target, replace)
        data = {"plan": plan.as_rows()}
        if dry_run:
            return Result("This is what a restore would do; nothing was changed.", {"dry_run": True, **data})
        with progress("Restoring", plan.size, of_bytes=True) as advance:
            done = archives.restore(plan, advance)
        kept = f" What was there is kept in {done.kept}." if done.kept else ""
        shut = f" The {', '.join(plan.shut)} stay sealed: name their key to restore them." if plan.shut else ""
        return Result(
            f"Restored {counted(done.files, 'file')} of {plan.entry.id} into {done.folder} in {done.seconds:.1f} s, "
            f"each as it was stored.{kept}{shut}",
            {**data, "files": done.files, "folder": str(done.folder)},
        )

    def _tell(self, line: str) -> None:
        self.stderr.write(f"{line}\n")


def _time(text: str) -> datetime | None:
    if not text:
        return None
    found = parse_datetime(text)
    if not found or is_naive(found):
        raise BackupFault(f"{text} is no time with its zone; write 2026-03-01T12:30:00Z.")
    return found
