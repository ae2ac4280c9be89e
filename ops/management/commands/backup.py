"""backup: copies of the database and of the documents; the log, received; points; the recovery kit."""

import getpass
import os
import signal
import sys
from pathlib import Path
from threading import Event
from typing import Annotated

import typer
from django_typer.management import command

from healthrecords.cli import DryRun, Group, Result, counted, progress, verb
from healthrecords.embedded.backups import make_keys
from ops.archives import taking as archiving
from ops.archives.entries import Archives, archives
from ops.archives.entries import Kind as Archived
from ops.backup import kit, points, taking
from ops.backup.faults import BackupFault
from ops.backup.overview import Overview, overview
from ops.backup.receiver import Receiver
from ops.backup.repository import repository
from ops.backup.taking import Type
from ops.copies import copying, telling
from ops.copies.copying import Kind
from ops.proof import proving, publishing, verifying
from ops.proof import retention as thinning

Depth = Annotated[Type, typer.Option("--type", help="full, incremental (on the last one) or archive (kept long).")]


class Command(Group):
    help = "Backups: take them, list them, receive the log."
    opens_sealed = False

    @command()
    @verb(changes=True)
    def database(
        self, type_: Depth = "full", dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the plan.")] = False
    ) -> Result:
        """Copy the database into the repository: verified, compressed, encrypted."""
        if dry_run:
            plan = taking.planned(type_)
            return Result(taking.foretold(plan), {"type": plan.type, "needed": plan.needed}, recordable=False)
        with progress("Backup", None, of_bytes=True) as advance:
            taken = taking.take(type_, advance)
        publishing.refresh()
        entry = taken.entry
        data = {"id": entry.id, "type": entry.type, "parent": entry.parent, "size": entry.size}
        return Result(taking.told(taken), data)

    @command()
    @verb(changes=True)
    def documents(
        self,
        kind: Annotated[
            Kind,
            typer.Option("--type", help="copy (what is new), compare (also checksums), read (also against records)."),
        ] = "compare",
        bandwidth: Annotated[int, typer.Option(min=0, help="MB a second at most; 0: as the settings say.")] = 0,
        dry_run: DryRun = False,
    ) -> Result:
        """Bring the second copy of the documents up to date, encrypted, never over what it holds."""
        plan = copying.planned() if dry_run or sys.stderr.isatty() else None
        if dry_run and plan:
            numbers = {"dry_run": True, "new": len(plan.new), "bytes": plan.size, "changed": plan.changed}
            return Result(telling.foretold(plan), numbers, "problem" if plan.changed else "good")
        with progress("Copying", plan.size if plan else None, of_bytes=True) as advance:
            done = copying.copy(kind, advance, bandwidth)
        return Result(telling.told(done), telling.data(done), telling.outcome(done))

    @command()
    @verb(changes=True)
    def config(self, dry_run: DryRun = False) -> Result:
        """Keep the settings and the deployment's files; whatever is secret is sealed to the offline key alone."""
        return _archived("config", dry_run)

    @command()
    @verb(changes=True)
    def logs(self, dry_run: DryRun = False) -> Result:
        """Keep the log files that have changed since the last time."""
        return _archived("logs", dry_run)

    @command()
    @verb(changes=True)
    def application(self, dry_run: DryRun = False) -> Result:
        """Keep the source of the version that runs, with its lock file and its commit; once for each version."""
        return _archived("application", dry_run)

    @command()
    @verb(changes=True)
    def point(self, name: str) -> Result:
        """Name this moment, to restore to it later."""
        made = points.make(name)
        return Result(f"The point {name} is at {made.lsn}, {made.time}.", {"name": name, "lsn": made.lsn})

    @command(name="list")
    @verb()
    def list_(self) -> Result:
        """Show the backups, the points, and to which moments the database can be brought back."""
        return _listed(overview(), archives(repository()))

    @command()
    @verb()
    def receive(self) -> Result:
        """Receive the write-ahead log until TERM or Ctrl-C; one runs for each server."""
        stop = Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        Receiver(lambda line: self.stderr.write(f"{line}\n")).run(stop.wait)
        return Result("The log is no longer received.")

    @command()
    @verb(changes=True)
    def test(self) -> Result:
        """Restore the newest chain into a scratch instance, check all of it, measure, and remove it again."""
        with progress("Testing", None, of_bytes=True) as advance:
            found = proving.prove(self._tell, advance)
        publishing.refresh()
        data = {"proof": vars(found.proof), "rows": found.rows, "tables": found.tables, "findings": found.findings}
        return Result(proving.told(found), data, "problem" if found.findings else "good")

    @command()
    @verb(changes=True)
    def verify(self) -> Result:
        """Hash every object of the repository again; needs no key."""
        with progress("Verifying", verifying.size(repository()), of_bytes=True) as advance:
            found = verifying.verify(advance)
        data = {"objects": found.objects, "bytes": found.bytes, "findings": found.findings}
        return Result(verifying.told(found), data, "problem" if found.findings else "good")

    @command()
    @verb(changes=True)
    def retention(self, dry_run: DryRun = False) -> Result:
        """Remove the chains that the settings no longer keep, and the log that no kept one needs."""
        plan = thinning.plan(repository()) if dry_run else thinning.thin_out()
        return Result(thinning.told(plan, done=not dry_run), {"dry_run": dry_run, "chains": thinning.as_rows(plan)})

    @command()
    @verb(changes=True)
    def publish(self) -> Result:
        """Tell the console, the metrics and the next start what there is."""
        found = publishing.publish()
        return Result(publishing.told(found), {"published": {k: found[k] for k in ("time", "begin", "until", "bytes")}})

    @command()
    @verb(changes=True)
    def keys(self, folder: Annotated[Path, typer.Argument(help="An existing directory.")]) -> Result:
        """Make the keys of backups: two identities, and the file of their public keys."""
        if (folder / "recipients").exists():
            raise BackupFault(f"{folder} holds recipients already; name another directory.")
        make_keys(folder)
        return Result(
            f"Name {folder / 'recipients'} in HEALTHCARE_BACKUP_RECIPIENTS_FILE, keep `identity` where restores "
            "run, and move `offline-identity` to a place without a network."
        )

    @command(name="kit")
    @verb(changes=True)
    def kit_(self, file: Annotated[Path, typer.Argument(help="A new file; keep it away from this machine.")]) -> Result:
        """Write all that a recovery on a bare machine needs, sealed by a passphrase (HEALTHCARE_KIT_PASSPHRASE)."""
        held = kit.write(file.absolute(), _passphrase())
        return Result(
            f"The kit {file} holds {counted(len(held), 'file')}; keep it away from this machine.", {"files": held}
        )

    def _tell(self, line: str) -> None:
        self.stderr.write(f"{line}\n")


def _archived(kind: Archived, dry_run: bool) -> Result:
    if dry_run:
        plan = archiving.planned(kind)
        return Result(archiving.foretold(plan), {"dry_run": True, "files": plan.files})
    done = archiving.take(kind)
    kept = done.entry or done.same
    return Result(archiving.told(done), {"id": kept.id if kept else None, "files": done.files, **done.about})


def _passphrase() -> str:
    """From the environment, else from the terminal, twice."""
    if known := os.environ.get("HEALTHCARE_KIT_PASSPHRASE"):
        return known
    if not sys.stdin.isatty():
        raise BackupFault("There is no terminal to ask for the passphrase; give it in HEALTHCARE_KIT_PASSPHRASE.")
    first = getpass.getpass("Passphrase: ")
    if first != getpass.getpass("The same again: "):
        raise BackupFault("The two passphrases differ; nothing was written.")
    return first


def _listed(found: Overview, others: Archives) -> Result:
    backups = [
        {
            "id": entry.id,
            "on": entry.parent,
            "restorable_from": entry.stopped,
            "bytes": entry.size,
            "postgres": entry.postgres,
        }
        for entry in found.known.entries
    ]
    data = {
        "backups": backups,
        "points": [{"name": point.name, "time": point.time, "lsn": point.lsn} for point in found.points],
        "archives": [{"id": each.id, "files": each.files, "bytes": each.size} for each in others.entries],
        "range": {"begin": found.begin, "until": found.until},
        "receiver": found.receiver,
        "warnings": list(found.warnings),
    }
    span = (
        f"any moment from {found.begin:%Y-%m-%d %H:%M:%S} to {found.until:%Y-%m-%d %H:%M:%S} UTC"
        if found.begin
        else "no moment"
    )
    summary = f"{counted(len(backups), 'backup')}; {span} can be restored. {' '.join(found.warnings)}".strip()
    return Result(summary, data, "problem" if found.known.damaged or not backups else "good")
