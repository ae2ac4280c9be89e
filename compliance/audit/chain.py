"""Verifies the statements themselves: numbers, links, signatures, sizes, ranges and clocks, without a database."""

from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from compliance.audit import heads
from compliance.audit.findings import Report
from compliance.audit.heads import Head

_COLUMNS = ("number", "epoch", "kind", "count", "key")


@dataclass
class Chain:
    """Walks the statements in their order; `before` is the one that the next must follow."""

    report: Report
    known: dict[str, Ed25519PublicKey]
    before: Head | None = None

    def follow(self, head: Head) -> bool:
        """Check a statement by itself and against the one before; whether its own words can be trusted."""
        trusted = self._itself(head)
        if trusted:
            self._link(head)
            self._numbers(head)
        self.before, self.report.statements = head, self.report.statements + 1
        return trusted

    def _itself(self, head: Head) -> bool:
        number = head.row.number
        if not heads.is_signed(head, self.known):
            self.report.found("signature", f"Statement {number} is not signed by a key of ours.", statement=number)
            return False
        if head.said.get("type") != heads.TYPE or any(head.said[c] != getattr(head.row, c) for c in _COLUMNS):
            self.report.found("statement", f"Statement {number} is not what its columns say.", statement=number)
            return False
        if head.digest != bytes(head.row.hash).hex():
            self.report.found("statement", f"The hash of statement {number} is not its hash.", statement=number)
        return True

    def _link(self, head: Head) -> None:
        number, before = head.row.number, self.before
        if head.said["previous"] != (before.digest if before else heads.NOTHING):
            text = f"Statement {number} does not follow the one before it: one of the two was replaced or removed."
            self.report.found("link", text, statement=number)
        if number != (before.row.number if before else 0) + 1:
            self.report.found("link", f"Statements before {number} are missing.", statement=number)

    def _numbers(self, head: Head) -> None:
        """Size, range of transactions, and time go on from the statement before."""
        said, before = head.said, _said(self.before)
        if said["size"] != before["size"] + said["count"]:
            self.report.found("size", f"Statement {said['number']} does not count on.", statement=said["number"])
        opens, begins = said["kind"] == heads.EPOCH, self.before.begins if self.before else 0
        if (said["covers"], said["from"]) != (before["epoch"], begins) or said["epoch"] != said["covers"] + opens:
            text = f"Statement {said['number']} leaves transactions out."
            self.report.found("range", text, statement=said["number"])
        if said["time"] < before["time"]:
            text = f"The clock went back: statement {said['number']} says {said['time']}, after {before['time']}."
            self.report.found("clock", text, statement=said["number"])


def _said(head: Head | None) -> dict[str, Any]:
    said = head.said if head else {}
    return {"size": 0, "epoch": 1, "time": "", **said}
