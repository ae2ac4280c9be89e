"""stock: lots of vaccine, what is on hand, and who got a lot."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer
from django.core.management.base import CommandError
from django_typer.management import command

from healthrecords.access.request import AccessRequest
from healthrecords.cli import Group, Result, counted, verb
from immunizations.stock import actions, listing
from immunizations.stock.recipients import Wanted, as_csv, recipients

LotName = Annotated[str, typer.Argument(metavar="LOT", help="A lot number, or a lot's key as stock list --json shows.")]
Quantity = Annotated[int, typer.Argument(help="Doses.")]
Cvx = Annotated[str, typer.Option(help="Vaccine, as CVX code.")]
Mvx = Annotated[str, typer.Option(help="Manufacturer, as MVX code.")]
Place = Annotated[str, typer.Option(help="Logical id of the location.")]
Reason = Annotated[str, typer.Option(help="Why, in a few words.")]

# Whoever has the host has the database: a command reads what it lists, with a row for each patient.
_READS = ({"Immunization": "rs", "Patient": "rs"},)
_SHOWN = ("name", "birth_date", "phone", "patient", "vaccine", "given", "match")
_LISTED = ("lot", "vaccine", "on_hand", "expires", "funding", "location", "problems")


class Command(Group):
    help = "Vaccine stock: what is on hand, deliveries, losses, counts, recalls."

    @command(name="list")
    @verb()
    def show(
        self,
        location: Place = "",
        problems: Annotated[bool, typer.Option("--problems", help="Only lots that need attention.")] = False,
    ) -> Result:
        """List the lots, first to expire first; a problem where one needs attention."""
        lines = listing.lines(location)
        bad = [line for line in lines if line.problems]
        shown = bad if problems else lines
        summary = f"{counted(len(lines), 'lot')}, {len(bad)} of them to look at."
        rows = [_line(line) for line in shown]
        return Result(summary, {"lots": rows}, "problem" if bad else "good", columns={"lots": _LISTED})

    @command()
    @verb(changes=True, rehearses=True)
    def receive(
        self,
        lot: Annotated[str, typer.Argument(metavar="LOT", help="The lot number on the box.")],
        quantity: Quantity,
        *,
        cvx: Cvx = "",
        ndc: Annotated[str, typer.Option(help="Product, as NDC; fills in vaccine and manufacturer.")] = "",
        mvx: Mvx = "",
        expires: Annotated[str, typer.Option(help="The last day on which it may be given, YYYY-MM-DD.")] = "",
        funding: Annotated[str, typer.Option(help="private or public.")] = "private",
        location: Place = "",
        threshold: Annotated[int | None, typer.Option(help="List the lot when fewer doses are left.")] = None,
    ) -> Result:
        """Enter a delivery; the first of a lot makes it."""
        delivery = actions.Delivery(lot, quantity, cvx, ndc, mvx, _day(expires), funding, location, threshold)
        return _changed(actions.receive(delivery, self.request))

    @command()
    @verb(changes=True, rehearses=True)
    def waste(self, lot: LotName, quantity: Quantity, reason: Reason, cvx: Cvx = "", location: Place = "") -> Result:
        """Enter doses that were lost, and why."""
        return _changed(actions.waste(actions.find_one(lot, cvx, location), quantity, reason, self.request))

    @command()
    @verb(changes=True, rehearses=True)
    def expire(self, lot: LotName, cvx: Cvx = "", location: Place = "") -> Result:
        """Take out what is left of an expired lot."""
        return _changed(actions.expire(actions.find_one(lot, cvx, location), self.request))

    @command()
    @verb(changes=True, rehearses=True)
    def count(
        self, lot: LotName, quantity: Quantity, reason: Reason = "", cvx: Cvx = "", location: Place = ""
    ) -> Result:
        """Enter what was counted on the shelf; the ledger gets the difference."""
        return _changed(actions.count(actions.find_one(lot, cvx, location), quantity, self.request, reason))

    @command()
    @verb(changes=True, rehearses=True)
    def transfer(
        self,
        lot: LotName,
        quantity: Quantity,
        to: Annotated[str, typer.Option(help="Logical id of the location.")],
        cvx: Cvx = "",
        location: Place = "",
    ) -> Result:
        """Move doses to another location."""
        return _changed(actions.transfer(actions.find_one(lot, cvx, location), quantity, to, self.request))

    @command()
    @verb(changes=True, rehearses=True)
    def recall(
        self,
        lot: LotName,
        reason: Reason = "",
        cvx: Cvx = "",
        undo: Annotated[bool, typer.Option("--undo", help="Take the mark back.")] = False,
    ) -> Result:
        """Mark a lot as recalled at all places; stock recipients then lists who got it."""
        found = actions.find_product(lot, cvx)
        marked = actions.undo_recall(found, self.request) if undo else actions.recall(found, reason, self.request)
        did = "is no longer marked as recalled" if undo else "is marked as recalled"
        where = f" ({counted(len(marked), 'row')} of the stock)" if marked else ", as before"
        rows = [_line(listing.line_of(each)) for each in marked]
        return Result(f"The {found} {did}{where}.", {"lots": rows}, columns={"lots": _LISTED})

    @command()
    @verb()
    def recipients(
        self,
        lot: LotName,
        cvx: Cvx = "",
        mvx: Mvx = "",
        file: Annotated[Path | None, typer.Option("--csv", help="Write the list to this new file.")] = None,
    ) -> Result:
        """List the patients who got a lot, also one that was never in stock; each leaves a row in the access log."""
        wanted = _wanted(lot, cvx, mvx)
        rows = recipients(wanted, _reading(self.request), export=file is not None)
        if file:
            _write(file, as_csv(rows))
        people = len({row.patient for row in rows})
        possible = sum(row.match == "possible" for row in rows)
        look = f" {counted(possible, 'dose')} only possibly of this lot: look at the record." if possible else ""
        summary = f"{counted(people, 'patient')} got lot {wanted.lot_number}, in {counted(len(rows), 'dose')}.{look}"
        return Result(summary, {"recipients": [vars(row) for row in rows]}, columns={"recipients": _SHOWN})


def _wanted(name: str, cvx: str, mvx: str) -> Wanted:
    """The lot in stock of that name with its product, or just the number where it was never in stock."""
    try:
        lot = actions.find_product(name, cvx)
    except actions.NoSuchLot:
        return Wanted(name, cvx, mvx)
    return Wanted(lot.lot_number, lot.cvx, mvx or lot.mvx)


def _reading(request: AccessRequest) -> AccessRequest:
    return replace(request, actor=replace(request.actor, permissions=_READS), purpose="HOPERAT")


def _write(path: Path, text: str) -> None:
    """Write a file that only its owner may read, and never over another."""
    try:
        path.touch(mode=0o600, exist_ok=False)
        path.write_text(text, encoding="utf-8", newline="")
    except OSError as fault:
        raise CommandError(f"{path} cannot be written ({fault.strerror}).") from None


def _changed(change: actions.Change) -> Result:
    quantity, kind = change.movement.quantity, change.movement.kind
    line = listing.line_of(change.lot)
    summary = f"{kind.capitalize()} {quantity:+d}: {counted(change.on_hand, 'dose')} of {change.lot} on hand."
    return Result(summary, {"lots": [_line(line)]}, columns={"lots": _LISTED})


def _line(line: listing.LotLine) -> dict[str, Any]:
    lot = line.lot
    return {
        "key": str(lot.pk),
        "lot": lot.lot_number,
        "vaccine": line.vaccine,
        "cvx": lot.cvx,
        "mvx": lot.mvx,
        "ndc": lot.ndc,
        "product": lot.product,
        "on_hand": line.on_hand,
        "expires": str(lot.expires) if lot.expires else None,
        "funding": lot.funding,
        "location": line.location,
        "threshold": lot.threshold,
        "recalled": lot.recalled_at,
        "recall_reason": lot.recall_reason,
        "problems": _words(line.problems),
    }


def _words(problems: Sequence[listing.Problem]) -> list[str]:
    return [problem.value for problem in problems]


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise CommandError(f"{text} is no day; write it as YYYY-MM-DD.") from None
