"""audit: seal the trail and verify it."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from django.conf import settings
from django.core.exceptions import ValidationError
from django_typer.management import command

from compliance.audit import export, proof, reconciliation, retention, sealing, shipping
from compliance.audit import status as state
from compliance.audit.verification import Verification
from compliance.phi_access import report
from healthrecords.cli import DryRun, Group, Result, counted, progress, verb

Since = Annotated[str, typer.Option(help="A date, a time (UTC), or a span such as 2h or 7d.")]
Until = Annotated[str, typer.Option(help="A date or a time (UTC).")]
SHOWN = ("check", "text", "statement", "events")
LATE = 180.0  # seconds after which what is not sealed or shipped is a problem


class Command(Group):
    help = "The proof of the audit trail: seals and their verification."

    @command()
    @verb()
    def status(self) -> Result:
        """Show how far the trail is sealed and shipped; a problem when either is late."""
        now = state.status()
        late = now.oldest_unsealed_seconds > LATE or any(place.waiting_seconds > LATE for place in now.places)
        summary = (
            f"{counted(now.sealed_events, 'event')} sealed by {counted(now.statement, 'statement')}, "
            f"{now.unsealed_events} not yet; the oldest waits for {now.oldest_unsealed_seconds:.0f} seconds."
        )
        data = {**now.as_row(), "places": [vars(place) for place in now.places]}
        return Result(summary, data, "problem" if late else "good")

    @command()
    @verb()
    def seal(self) -> Result:
        """Seal what is finished now, and ship it; the worker does the same each minute."""
        made = sealing.seal()
        places = [vars(place) for place in map(state.of, shipping.ship())]
        summary = f"Sealed {counted(sum(each.count for each in made), 'event')}."
        faults = [f"{place['place']}: {place['fault']}" for place in places if place["fault"]]
        return Result(" ".join([summary, *faults]), {"places": places}, "problem" if faults else "good")

    @command()
    @verb(changes=True)
    def verify(self, since: Since = "", until: Until = "") -> Result:
        """Recompute everything that was sealed, compare it with the places outside, and name what differs."""
        span = report.since(since), report.since(until)
        with progress("Verifying", None) as advance:
            found = Verification(*span, advance).run()
        shipping.compare(found, span[0])
        summary = f"Verified {counted(found.events, 'event')} in {counted(found.statements, 'statement')}"
        verdict = f": {counted(len(found.findings), 'finding')}." if found.findings else ": nothing was changed."
        data = {
            "events": found.events, "statements": found.statements, "compared": found.compared, "notes": found.notes,
            "findings": [finding.as_row() for finding in found.findings],
        }  # fmt: skip
        result = Result(summary + verdict, data, columns={"findings": SHOWN})
        result.outcome = "problem" if found.findings else "good"
        return result

    @command()
    @verb()
    def prove(self, event: Annotated[str, typer.Argument(help="The id of the event.")]) -> Result:
        """Print the proof that an event stands as it was sealed; docs/security/check_proof.py checks it."""
        told = proof.prove(event, self.request)
        summary = f"Proof of event {event}; check it against the witness's file {told['witness_file']}."
        return Result(summary, {"proof": told}, alone="proof")

    @command()
    @verb(changes=True)
    def reconcile(
        self,
        logs: Annotated[list[str], typer.Argument(help="Files or patterns; - is standard input.")] = [],  # noqa: B006
        since: Since = "25h",
    ) -> Result:
        """Compare request logs with the trail, and name requests that left no event."""
        told = reconciliation.of_files(logs or _own_logs(), report.since(since) or datetime.min.replace(tzinfo=UTC))
        summary = f"{counted(told.judged, 'request')} to records: {len(told.unrecorded)} left no event."
        data = {**vars(told), "unrecorded": [vars(each) for each in told.unrecorded]}
        faulty = told.unrecorded or told.faults
        return Result(" ".join([summary, *told.faults]), data, "problem" if faulty else "good")

    @command()
    @verb(changes=True)
    def export(
        self,
        file: Annotated[Path, typer.Argument(help="The file to make.")],
        since: Since = "",
        until: Until = "",
        form: Annotated[export.Format, typer.Option("--format", help="The file's format.")] = "ndjson",
    ) -> Result:
        """Write the events of a span to a file; the export is itself an event."""
        span = export.Span(report.since(since), report.since(until))
        count = export.export(file, span, form, self.request)
        return Result(f"Wrote {counted(count, 'event')} to {file}.", {"events": count, "file": str(file)})

    @command()
    @verb(changes=True)
    def retain(self, dry_run: DryRun = False) -> Result:
        """Remove whole months that are older than HEALTHCARE_AUDIT_RETENTION_YEARS, by a signed statement."""
        made = retention.plan()
        head = None if dry_run else retention.retain(made, self.request)
        if head:
            shipping.ship()
        what = f"{counted(made.events, 'event')} in {counted(len(made.months), 'month')} before {made.before}"
        verdict = "would be removed" if dry_run else "removed"
        data = {**vars(made), "statement": head.row.number if head else None}
        return Result(f"{what}: {verdict}.", data)

    @command()
    @verb(changes=True)
    def epoch(self, reason: Annotated[str, typer.Argument(help="Which backup was restored, and why.")]) -> Result:
        """Begin a new epoch on a database that was restored, before anybody uses it."""
        number = sealing.open_epoch(reason, self.request)
        shipping.ship()
        return Result(f"Epoch {number} has begun; what was sealed before still verifies.", {"epoch": number})


def _own_logs() -> list[str]:
    if not settings.AUDIT_REQUEST_LOGS:
        raise ValidationError("Name the request log, or set HEALTHCARE_REQUEST_LOGS; - reads standard input.")
    return list(settings.AUDIT_REQUEST_LOGS)
