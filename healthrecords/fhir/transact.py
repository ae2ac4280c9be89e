"""Transactions: all entries in one database transaction, in the order of the specification, written in bulk."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from django.db import transaction
from uuid6 import uuid7

from healthrecords import trail
from healthrecords.access import policy
from healthrecords.access.request import Disclosure
from healthrecords.records import Record, RecordVersion

from . import interactions, listing, store
from .acceptance import refuse_invalid
from .answer import Answer, location, version_headers
from .entries import Entry
from .linking import Links
from .outcome import FHIRError, Issue, not_found
from .resource import Resource, registry


def all_or_nothing(entries: list[Entry]) -> list[Answer]:
    """Carry out every entry, or none: raise FHIRError with the path of what stands in the way (R4 §3.1.0.11.2)."""
    _refuse_faults(entries)
    with transaction.atomic():
        return _Transaction(entries).run()


def look(entry: Entry) -> Answer:
    """Carry out an entry that only looks."""
    resource, asked = entry.resource, entry.asked
    if entry.interaction == "search":
        return listing.search(resource, asked, entry.pairs)
    if entry.interaction == "history":
        return listing.history(resource, asked, entry.logical_id, entry.pairs)
    if entry.version:
        interactions.refuse_parameters(entry.pairs)
        return interactions.vread(resource, asked, entry.logical_id or "", entry.version)
    shape = interactions.shape_of(resource, asked, entry.pairs)
    return interactions.read(resource, asked, entry.logical_id or "", entry.conditions, shape)


def _refuse_faults(entries: list[Entry]) -> None:
    """Look at each entry before anything is written; raise FHIRError with all faults of all of them."""
    issues: list[Issue] = []
    worst: FHIRError | None = None
    named: set[tuple[str, str]] = set()
    urls: set[str] = set()
    for entry in entries:
        try:
            interactions.require(entry.asked)
            if entry.interaction in ("create", "update"):
                refuse_invalid(entry.resource, entry.body)
            _refuse_twice(entry, named, urls)
        except FHIRError as error:
            issues += [_within(entry, issue) for issue in error.issues]
            if worst is None or error.status > worst.status:
                worst = FHIRError(error.status, about=(entry.asked, entry.logical_id))
    if worst:
        worst.issues = issues
        raise worst


def _refuse_twice(entry: Entry, named: set[tuple[str, str]], urls: set[str]) -> None:
    """A transaction touches a record once, and a fullUrl stands for one entry."""
    if entry.interaction == "update":
        interactions.refuse_other_id(entry.resource, entry.body, entry.logical_id or "")
    key = (entry.resource.name, entry.logical_id or "")
    if entry.interaction in ("update", "delete"):
        if key in named:
            raise FHIRError.of(400, "duplicate", "Another entry of this transaction touches the same record.")
        named.add(key)
    condition = (f"{entry.resource.name}?", entry.conditions.none_exist)
    if entry.interaction == "create" and entry.conditions.none_exist:
        if condition in named:
            raise FHIRError.of(400, "duplicate", "Another entry of this transaction has the same condition.")
        named.add(condition)
    if entry.full_url and entry.writes:
        if entry.full_url in urls:
            raise FHIRError.of(400, "duplicate", "Another entry of this transaction has the same fullUrl.")
        urls.add(entry.full_url)


def _within(entry: Entry, issue: Issue) -> Issue:
    """The same fault, with its path inside the Bundle."""
    head, path = f"Bundle.entry[{entry.at}]", issue.path
    if path.startswith(entry.resource.name):
        path = f"{head}.resource{path.removeprefix(entry.resource.name)}"
    elif not path.startswith("Bundle."):
        path = f"{head}.resource.{path}" if path else head
    return Issue(issue.code, issue.text, path, issue.severity)


class _Transaction:
    """The state of one transaction while it is carried out."""

    def __init__(self, entries: list[Entry]) -> None:
        self.entries = entries
        self.answers: dict[int, Answer] = {}
        self.links = Links()
        self.rows: dict[int, Record] = {}  # the stored row that an entry updates or deletes, locked

    def run(self) -> list[Answer]:
        """Delete, then create and update, then look (R4 §3.1.0.11.2)."""
        self._lock()
        for entry in self._of("delete"):
            self._delete(entry)
        self._identify()
        for resource in registry().values():
            self._write(resource, [e for e in self._of("create", "update") if e.resource is resource])
        for entry in self.entries:
            if not entry.writes:
                self.answers[entry.at] = self._attempt(entry, look, entry)
        return [self.answers[entry.at] for entry in self.entries]

    def _of(self, *interactions: str) -> list[Entry]:
        return [e for e in self.entries if e.interaction in interactions and e.at not in self.answers]

    def _attempt(self, entry: Entry, work: Any, *terms: Any) -> Any:
        """Do the work of an entry; what fails fails the transaction, with the path of the entry."""
        try:
            return work(*terms)
        except FHIRError as error:
            raise self._failed(entry, error) from None

    @staticmethod
    def _failed(entry: Entry, error: FHIRError) -> FHIRError:
        issues = [_within(entry, issue) for issue in error.issues]
        return FHIRError(error.status, issues, error.headers, (entry.asked, entry.logical_id))

    def _lock(self) -> None:
        """Lock the rows that will change, type by type in the order of their ids, so that none waits for another."""
        by_type: dict[str, list[Entry]] = defaultdict(list)
        for entry in self._of("update", "delete"):
            by_type[entry.resource.name].append(entry)
        for name in sorted(by_type):
            rows = self._locked(by_type[name])
            for entry in by_type[name]:
                row = rows.get(entry.logical_id or "")
                if row:
                    self.rows[entry.at] = row
                self._attempt(entry, entry.conditions.refuse_stale, row.version if row and not row.deleted_at else None)

    @staticmethod
    def _locked(entries: list[Entry]) -> dict[str, Record]:
        found: dict[str, Record] = {}
        for interaction in ("update", "delete"):
            some = [entry for entry in entries if entry.interaction == interaction]
            if some:
                rows = policy.visible(some[0].resource.model.objects.all(), some[0].asked)
                ids = [entry.logical_id for entry in some]
                locked = rows.filter(logical_id__in=ids).order_by("logical_id").select_for_update(of=("self",))
                found |= {row.logical_id: row for row in locked}
        return found

    def _delete(self, entry: Entry) -> None:
        row = self.rows.get(entry.at)
        if row is None:
            raise self._failed(entry, not_found(entry.resource.name))
        if row.deleted_at:
            self.answers[entry.at] = Answer(204)
            return
        version = store.remove(entry.resource, row, entry.asked.actor)
        self._record(entry.resource, [(entry, version)])
        self.answers[entry.at] = Answer(204, headers=version_headers(version), version=version)

    def _identify(self) -> None:
        """Give each entry its id, and find what is there already, so that references can be resolved."""
        for entry in sorted(self._of("create"), key=lambda each: each.resource.name):  # the order of locks
            found = self._attempt(entry, self._existing, entry) if entry.conditions.none_exist else None
            entry.logical_id = found.logical_id if found else str(uuid7())
            self.links.add(entry)
        for entry in self._of("update"):
            self.links.add(entry)

    def _existing(self, entry: Entry) -> RecordVersion | None:
        answer = interactions.existing(entry.resource, entry.asked, entry.conditions)
        if answer is None:
            return None
        self.answers[entry.at] = Answer(200, headers=answer.headers, version=answer.version)
        return answer.version

    def _write(self, resource: Resource, entries: list[Entry]) -> None:
        """Write all that are of one type in one round of statements."""
        if not entries:
            return
        changes = [self._change(entry) for entry in entries]
        versions = store.write(resource, changes, entries[0].asked.actor)
        for entry, change in zip(entries, changes, strict=True):
            self._attempt(entry, interactions.refuse_beyond, entry.asked, change.record)
        written = list(zip(entries, versions, strict=True))
        self._record(resource, written)
        for entry, version in written:
            self.answers[entry.at] = _written(entry, version)

    def _change(self, entry: Entry) -> store.Change:
        row = self.rows.get(entry.at)
        if entry.interaction == "update" and (row is None or row.deleted_at):
            entry.asked = entry.asked.to("create")
            self._attempt(entry, interactions.require, entry.asked)
        body = self._attempt(entry, self.links.resolved, entry.body, entry)
        draft = self._attempt(entry, store.draft_of, entry.resource, body, entry.logical_id, entry.asked.actor)
        return store.Change(draft, row)

    def _record(self, resource: Resource, written: Iterable[tuple[Entry, RecordVersion]]) -> None:
        """Leave one row for each record (and patient of it), in one statement for each kind of interaction."""
        facts: dict[str, list[trail.Fact]] = defaultdict(list)
        asked = {}
        for entry, version in written:
            shown = Disclosure(resource.name, [(version.logical_id, version.version, version.patients)])
            facts[entry.interaction] += trail.disclosed(entry.interaction, [shown])
            asked[entry.interaction] = entry.asked
        for interaction, rows in facts.items():
            trail.record(asked[interaction], rows)


def _written(entry: Entry, version: RecordVersion) -> Answer:
    status = 200 if entry.interaction == "update" else 201
    body = version.content if entry.conditions.prefer == "representation" else None
    return Answer(status, body, {**version_headers(version), "Location": location(version)}, version)
