"""Recomputes every leaf and root from the events as they are, and says which event is not as it was sealed.

It reads in bulk, some hundred thousand events at a time, in one snapshot of the database. What it trusts is the key
file alone: neither the database's word on keys, nor its lists, nor its functions.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from compliance.audit import heads, inspection, merkle
from compliance.audit.chain import Chain
from compliance.audit.findings import Report
from compliance.audit.heads import AHEAD, Head
from compliance.audit.leaves import Event, entries, events, snapshot
from compliance.audit.models import AuditSeal
from compliance.audit.schema import EVENTS
from compliance.phi_access.ledger import query_place
from healthrecords.crypto.envelope import CannotOpen, is_fingerprint, open_sealed

SLICE = 200_000  # events read by one statement, at least one batch
LATE = timedelta(hours=1)  # how long before its seal an event may have been written: a transaction is never so long
Advance = Callable[[float], None]


@dataclass
class Verification:
    """One run over the statements of a span of time; `since` empty means from the first."""

    since: datetime | None = None
    until: datetime | None = None
    advance: Advance = lambda _: None
    report: Report = field(default_factory=Report)

    def run(self) -> Report:
        """Verify chain, events and schema; what is outside the database is compared elsewhere."""
        self.known = heads.public_keys()
        with snapshot() as cursor:
            self.removal = _last_removal()
            self.removed: list[bytes] = []
            self.chain = Chain(self.report, self.known, self._first_before())
            for statements in self._slices():
                self._verify(cursor, statements)
            if self.until is None:
                self._removal_holds()
                self._strays(cursor)
                self._waiting(cursor)
            inspection.inspect(cursor, self.report)
        return self.report

    def _first_before(self) -> Head | None:
        """The statement before the span, which the first must follow."""
        rows = AuditSeal.objects.using("sealer").defer("leaves")
        row = rows.filter(time__lt=self.since).order_by("-number").first() if self.since else None
        return Head.of(row) if row else None

    def _slices(self) -> Iterator[list[Head]]:
        rows = AuditSeal.objects.using("sealer").defer("leaves").order_by("number")
        rows = rows.filter(time__gte=self.since) if self.since else rows
        rows = rows.filter(time__lte=self.until) if self.until else rows
        held, weight, after = list[Head](), 0, 0
        while page := list(rows.filter(number__gt=after)[:1000]):
            after = page[-1].number
            for head in map(Head.of, page):
                held.append(head)
                weight += head.row.count + 100
                if weight >= SLICE:
                    yield held
                    held, weight = [], 0
        if held:
            yield held

    def _verify(self, cursor: Any, statements: list[Head]) -> None:
        before = dict(zip((head.row.number for head in statements), [self.chain.before, *statements], strict=False))
        trusted = [head for head in statements if self.chain.follow(head) and head.row.kind != heads.REMOVAL]
        for epoch, group in groupby(trusted, key=lambda head: head.said["covers"]):
            batches = list(group)
            rows = events(cursor, epoch, batches[0].said["from"], batches[-1].said["to"])
            held: Event | None = next(rows, None)
            for head in batches:
                found: list[Event] = []
                while held and held.txid < head.said["to"]:
                    found.append(held)
                    held = next(rows, None)
                self._batch(head, before[head.row.number], found)

    def _batch(self, head: Head, before: Head | None, found: list[Event]) -> None:
        """One tree: its root, the clocks of its events, and the fingerprints of what was searched for."""
        hashes = [merkle.leaf_hash(event.line) for event in found]
        self.report.events += len(found)
        self.advance(len(found))
        if merkle.root(hashes).hex() != head.said["root"] or len(found) != head.said["count"]:
            self._differs(head, found, hashes)
        if found:
            self._clocks(head, before, found)
            self._queries(head, found)

    def _differs(self, head: Head, found: list[Event], hashes: list[bytes]) -> None:
        """Name the events that are not as sealed, by the list that the seal keeps."""
        number, sealed = head.row.number, f"{head.said['time']}"
        row = AuditSeal.objects.only("leaves").get(pk=number)  # by another connection: this one is reading events
        was = entries(bytes(row.leaves))
        if merkle.root([digest for _, digest in was]).hex() != head.said["root"]:
            text = f"Events of statement {number} differ, and its list was changed too: any of {len(was)} may."
            self.report.found("events", text, {event.uuid for event in found}, statement=number, sealed=sealed)
            return
        then, now = dict(was), dict(zip((event.uuid for event in found), hashes, strict=True))
        changed = [uuid for uuid, digest in now.items() if then.get(uuid, digest) != digest]
        added = [uuid for uuid in now if uuid not in then]
        missing = [uuid for uuid in then if uuid not in now]
        if missing and self.removal and number <= self.removal.said["through"]:
            self.removed += [then[uuid] for uuid in missing]
            missing = []
        elif not (changed or added or missing):
            added = [event.uuid for event in found] if len(found) != len(was) else []
            changed = [] if added else list(now)
        for check, uuids, words in (
            ("changed", changed, "was changed"), ("inserted", added, "was inserted"), ("missing", missing, "is gone"),
        ):  # fmt: skip
            if uuids:
                text = f"{len(uuids)} of {len(was)} events of statement {number}: each {words} after {sealed}."
                self.report.found(check, text, uuids, statement=number, sealed=sealed)

    def _clocks(self, head: Head, before: Head | None, found: list[Event]) -> None:
        """An event's time lies between the seal before and its own, give or take (see AHEAD, LATE)."""
        latest = f"{head.row.time + AHEAD:%Y-%m-%d %H:%M:%S}"
        earliest = f"{before.row.time - LATE:%Y-%m-%d %H:%M:%S}" if before else ""
        odd = [event.uuid for event in found if not earliest <= event.time <= latest]
        if odd:
            text = f"{len(odd)} events of statement {head.row.number} bear a time that is not when they were written."
            self.report.found("clock", text, odd, statement=head.row.number, sealed=str(head.said["time"]))

    def _queries(self, head: Head, found: list[Event]) -> None:
        """The sealed text of a search is not hashed, since keys rotate; its fingerprint is."""
        wrong = [event.uuid for event in found if (event.query or event.query_mac) and not _query_holds(event)]
        if wrong:
            text = f"The text of {len(wrong)} searches of statement {head.row.number} is not the one that was sealed."
            self.report.found("query", text, wrong, statement=head.row.number, sealed=str(head.said["time"]))

    def _removal_holds(self) -> None:
        """All that retention took away, and nothing else, is gone."""
        if self.removal is None or self.since:
            return
        said = self.removal.said
        if (len(self.removed), merkle.root(self.removed).hex()) != (said["removed"], said["removed_root"]):
            text = f"{len(self.removed)} events are gone, and statement {said['number']} removed {said['removed']}."
            self.report.found("missing", text, statement=said["number"], sealed=said["time"])

    def _strays(self, cursor: Any) -> None:
        """Events that no seal covers and none will: in an unknown epoch, or of a transaction yet to come."""
        epoch = self.chain.before.row.epoch if self.chain.before else 1
        coming = f"epoch = {epoch:d} AND txid >= pg_snapshot_xmax(pg_current_snapshot())::text::bigint"
        if future := _uuids(cursor, coming):
            self.report.found("transaction", f"{len(future)} events of transactions that are yet to come.", future)
        if lost := _uuids(cursor, f"epoch > {epoch:d}") + _uuids(cursor, "epoch < 1"):
            self.report.found("epoch", f"{len(lost)} events of epochs that never began.", lost)

    def _waiting(self, cursor: Any) -> None:
        """Events that should have been sealed long ago."""
        epoch, begin = (self.chain.before.row.epoch, self.chain.before.begins) if self.chain.before else (1, 0)
        late = f"clock_timestamp() - interval '{LATE.total_seconds()} seconds'"
        waiting = f"epoch = {epoch:d} AND txid >= {begin:d} AND time < {late}"
        if uuids := _uuids(cursor, waiting):
            text = (
                f"Events of more than {LATE.total_seconds() / 60:.0f} minutes ago wait for a seal: the sealer stands."
            )
            self.report.found("sealer", text, uuids)


def faults() -> list[str]:
    """What is wrong with the trail of the database alone, places apart (socket BACKUP_VERIFY_TRAIL)."""
    return [finding.text for finding in Verification().run().findings]


def _uuids(cursor: Any, condition: str) -> list[str]:
    cursor.execute(f"SELECT uuid FROM audit.{EVENTS} WHERE {condition} LIMIT 1000")  # noqa: S608  # nosec B608
    return [str(row[0]) for row in cursor.fetchall()]


def _query_holds(event: Event) -> bool:
    place = query_place(event.uuid)
    try:
        plain = open_sealed(bytes.fromhex(event.query), place)
        return is_fingerprint(bytes.fromhex(event.query_mac), plain, place)
    except (CannotOpen, ValueError):
        return False


def _last_removal() -> Head | None:
    row = AuditSeal.objects.using("sealer").defer("leaves").filter(kind=heads.REMOVAL).order_by("-number").first()
    return Head.of(row) if row else None
