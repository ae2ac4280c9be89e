"""documents: whether the store holds what the records say, and whether it is free of viruses."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Annotated, Any

import typer
from django.conf import settings
from django_typer.management import command

from documents import holding, mending, storage
from documents.checking import Findings, check
from documents.models import Content, DocumentReference
from documents.scanning import stored
from documents.storage import StoreFault
from healthrecords.cli import DryRun, Group, Result, counted, error, progress, verb

Reason = Annotated[str, typer.Option(help="Why, for whoever reads it years later; no patient's name.")]


class Command(Group):
    help = "Documents: compare the store of contents with the records; legal holds and retention."

    @command(name="check")  # Django's own commands have a method of that name
    @verb(changes=True)
    def check_(
        self, quick: Annotated[bool, typer.Option(help="Ask for sizes only; do not read the contents.")] = False
    ) -> Result:
        """Find objects without row, rows without object, and contents that differ; changes nothing."""
        try:
            with progress("Checking contents", Content.objects.count()) as advance:
                return _result(check(not quick, advance))
        except StoreFault as fault:
            return error(fault.text)

    @command(name="mend")
    @verb(changes=True)
    def mend(
        self,
        older_than: Annotated[int, typer.Option(min=1, help="Days that an object must have been without row.")] = 30,
        dry_run: DryRun = False,
    ) -> Result:
        """Remove old objects without row and abort uploads that nobody ended; rows and contents are only told."""
        try:
            with mending.alone():
                plan = mending.plan(timedelta(days=older_than))
                return _planned(plan) if dry_run else _mended(plan, mending.carry_out(plan))
        except StoreFault as fault:
            return error(fault.text)

    @command(name="scan")
    @verb(changes=True)
    def scan(
        self,
        everything: Annotated[bool, typer.Option("--all", help="Also what has a verdict already.")] = False,
    ) -> Result:
        """Have the virus scanner look at the contents that wait for it; 1 if it found something or some still wait."""
        if not settings.CLAMAV:
            return error("No virus scanner is configured; set HEALTHCARE_CLAMAV.")
        try:
            with progress("Scanning contents", stored.due(everything).count()) as advance:
                return _scanned(stored.scan(everything, advance))
        except StoreFault as fault:
            return error(fault.text)

    @command(name="hold")
    @verb(changes=True)
    def hold(self, document: str, reason: Reason) -> Result:
        """Place a legal hold on a document by its id: its content stays, whatever happens to the document."""
        return _decided(document, "Held", lambda found: holding.place_hold(found, reason, self.request))

    @command(name="release")
    @verb(changes=True)
    def release(self, document: str, reason: Reason) -> Result:
        """End the legal hold on a document."""
        return _decided(document, "Released", lambda found: holding.release_hold(found, reason, self.request))

    @command(name="retain")
    @verb(changes=True)
    def retain(
        self,
        document: str,
        until: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="The day, later than the present one.")],
        reason: Reason,
    ) -> Result:
        """Retain the content of a document longer; a retention never gets shorter."""
        done = f"Retained until {until:%Y-%m-%d}:"
        return _decided(document, done, lambda found: holding.retain_until(found, until.date(), reason, self.request))

    @command(name="holds")
    @verb()
    def holds(self) -> Result:
        """List the legal holds in force."""
        rows = [
            {"document": each.document, "since": each.decided_at, "by": each.author, "reason": each.reason}
            for each in holding.holds()
        ]
        return Result(f"{counted(len(rows), 'document')} held. {_lock_sentence()}", {"holds": rows})


def _scanned(done: stored.Scanned) -> Result:
    summary = (
        f"{done.clean} clean, {len(done.infected)} newly infected, {len(done.released)} released; "
        f"{counted(done.waiting, 'content')} waiting, {done.refused} refused in all."
    )
    data: dict[str, Any] = {
        "scanner": done.scanner or "answers",
        "clean": done.clean,
        "infected": done.infected,
        "released": done.released,
        "unanswered": done.unanswered,
        "waiting": done.waiting,
        "refused": done.refused,
    }
    if done.scanner:
        return error(f"{done.scanner} {summary}", data=data)
    return Result(summary, data, "good" if done.good else "problem")


def _planned(plan: mending.Plan) -> Result:
    summary = (
        f"Dry run, nothing was changed: {counted(len(plan.remove), 'object')} would go, "
        f"{counted(len(plan.abort), 'upload')} would be aborted."
    )
    data = {"dry_run": True, "remove": plan.remove, "abort": plan.abort, **_beyond(plan.findings)}
    return Result(summary + _untouched(plan.findings), data, "problem" if _beyond(plan.findings) else "good")


def _mended(plan: mending.Plan, done: mending.Done) -> Result:
    kept = f" The store keeps {counted(len(done.kept), 'object')} by its lock." if done.kept else ""
    summary = f"Removed {counted(len(done.removed), 'object')}, aborted {counted(len(done.aborted), 'upload')}.{kept}"
    data = {"removed": done.removed, "aborted": done.aborted, "locked": done.kept, **_beyond(plan.findings)}
    return Result(summary + _untouched(plan.findings), data, "problem" if _beyond(plan.findings) else "good")


def _beyond(found: Findings) -> dict[str, Any]:
    """What no run can mend: contents that must come back from a copy of the bucket."""
    lost = {"contents_missing": found.missing, "contents_different": found.different}
    return lost if any(lost.values()) else {}


def _untouched(found: Findings) -> str:
    number = len(found.missing) + len(found.different)
    return f" {counted(number, 'content')} missing or different: restore them from a copy." if number else ""


def _decided(document: str, done: str, decide: Callable[[DocumentReference], Any]) -> Result:
    """Decide on the document of an id."""
    found = DocumentReference.objects.filter(logical_id=document.removeprefix("DocumentReference/")).first()
    if found is None:
        return error(f"There is no document {document}.")
    try:
        decide(found)
    except StoreFault as fault:
        return error(fault.text)
    return Result(f"{done} DocumentReference/{found.logical_id}. {_lock_sentence()}", {"document": found.logical_id})


def _lock_sentence() -> str:
    """Whether the store keeps held objects by itself."""
    try:
        locks = storage.locks()
    except StoreFault as fault:
        return fault.text
    if locks:
        return "The store locks what is filed and held."
    return "The bucket has no object lock: holds and retentions are kept by this application alone."


def _result(found: Findings) -> Result:
    data: dict[str, Any] = {
        "objects_without_row": list(found.without_row),
        "unfinished_uploads": found.unfinished,
        "contents_missing": found.missing,
        "contents_different": found.different,
    }
    summary = (
        f"{counted(found.contents, 'content')} looked at: {len(found.missing)} missing, {len(found.different)} "
        f"different. In the store: {len(found.without_row)} without row, {counted(len(found.unfinished), 'upload')} "
        f"unfinished. {_lock_sentence()}"
    )
    return Result(summary, data, "good" if found.good else "problem")
