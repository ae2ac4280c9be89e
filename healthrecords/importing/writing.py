"""Write a batch of imported resources: records of the types that are served, the others kept aside."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any
from urllib.parse import parse_qsl

from django.db import transaction
from django.db.models import QuerySet

from healthrecords import trail
from healthrecords.access.request import SYSTEM, AccessRequest, Actor, Disclosure
from healthrecords.fhir import store
from healthrecords.fhir.acceptance import validate
from healthrecords.fhir.mapping import Draft
from healthrecords.fhir.outcome import FHIRError, Issue
from healthrecords.fhir.resource import Resource, registry
from healthrecords.fhir.search import query
from healthrecords.fhir.search.faults import BadSearch
from healthrecords.jsontext import dump_json
from healthrecords.records import Record, RecordVersion

from . import bundles
from .deciding import Outcome, Stored, decide
from .faults import sentence
from .models import KeptResource, ReplacedContent
from .reading import Item

_MOST_TARGETS = 10_000  # resolved conditional references that are remembered
_FAULTS_SHOWN = 5  # of one resource


@dataclass
class Done:
    """What became of an item, and why where it failed: pairs of path and reason."""

    item: Item
    outcome: Outcome
    reasons: list[tuple[str, str]] = field(default_factory=list)


@dataclass
class Writer:
    """Writes for one source on behalf of whoever runs the command."""

    request: AccessRequest
    source: str
    overwrite: bool = False
    targets: dict[str, str | None] = field(default_factory=dict)

    def write(self, batch: Sequence[Item]) -> list[Done]:
        """Write `batch` in one transaction, with its rows in the trail; raises the database's errors."""
        first = {item.key: item for item in reversed(batch)}
        by_type: dict[str, list[Item]] = defaultdict(list)
        for item in reversed(first.values()):
            by_type[item.resource_type].append(item)
        with transaction.atomic():
            done, versions = self._write_served(by_type)
            for kind, items in by_type.items():
                if kind not in registry():
                    done += self._keep(kind, items)
            self._record(versions)
        return [*done, *_repeats(batch, first, done)]

    def _write_served(self, by_type: dict[str, list[Item]]) -> tuple[list[Done], list[RecordVersion]]:
        """Write in the order in which types are declared: what others refer to comes first."""
        done: list[Done] = []
        versions: list[RecordVersion] = []
        for kind, resource in registry().items():
            if items := by_type.get(kind):
                good, bad = self._sort_out(resource, items)
                outcomes, written = self._write_type(resource, good)
                done += [*bad, *outcomes]
                versions += written
                if written:
                    self._forget_misses()
        return done, versions

    def _sort_out(self, resource: Resource, items: list[Item]) -> tuple[list[Item], list[Done]]:
        good, bad = [], []
        for item in items:
            self._resolve(item)
            faults = _told(validate(resource, item.body))
            if faults:
                bad.append(Done(item, "failed", faults))
            else:
                good.append(item)
        return good, bad

    def _write_type(self, resource: Resource, items: list[Item]) -> tuple[list[Done], list[RecordVersion]]:
        ids = [str(item.body["id"]) for item in items]
        stored = {row.logical_id: row for row in _locked(resource, ids)}
        replaced = _replaced(resource.name, [i for i, item in zip(ids, items, strict=True) if i in stored])
        done, changes = [], []
        for logical_id, item in zip(ids, items, strict=True):
            row = stored.get(logical_id)
            known = (logical_id, item.digest) in replaced
            outcome, why = decide(self.source, item.digest, _facts(row), known, self.overwrite)
            reasons = [("", why)] if why else []
            if outcome in ("created", "updated"):
                draft, reasons = _draft(resource, item, self.request.actor)
                outcome = "failed" if draft is None else outcome
                changes += [store.Change(draft, row, item.digest)] if draft else []
            done.append(Done(item, outcome, reasons))
        _remember_replaced(resource.name, [change.previous for change in changes if change.previous])
        versions = store.write(resource, changes, self.request.actor, self.source) if changes else []
        settled = [str(each.item.body["id"]) for each in done if each.outcome != "failed"]
        KeptResource.objects.filter(resource_type=resource.name, logical_id__in=settled, source=self.source).delete()
        return done, versions

    def _keep(self, kind: str, items: list[Item]) -> list[Done]:
        """Keep resources of a type that is not served; a newer content of the same takes the place of the older."""
        ids = [str(item.body["id"]) for item in items]
        rows = KeptResource.objects.filter(resource_type=kind, logical_id__in=ids, source=self.source)
        kept = {row.logical_id: row for row in rows.defer("content")}
        replaced = _replaced(kind, list(kept))
        fresh = []
        for logical_id, item in zip(ids, items, strict=True):
            row = kept.get(logical_id)
            known = row and (bytes(row.digest) == item.digest or (logical_id, item.digest) in replaced)
            if not known or self.overwrite:
                self._resolve(item)
                fresh.append((row, self._kept(row, item)))
        _remember_replaced(kind, [row for row, _ in fresh if row])
        KeptResource.objects.bulk_create(
            [row for _, row in fresh],
            update_conflicts=True,
            unique_fields=["uuid"],
            update_fields=["digest", "content", "kept_at"],
        )
        return [Done(item, "kept") for item in items]

    def _kept(self, row: KeptResource | None, item: Item) -> KeptResource:
        made = KeptResource(source=self.source, resource_type=item.resource_type, logical_id=item.body["id"])
        made.uuid = row.uuid if row else made.uuid  # the envelope is bound to the row's key
        made.digest, made.content = item.digest, dump_json(item.body).decode()
        return made

    def _resolve(self, item: Item) -> None:
        """Turn references that are searches into literal ones, where they find one record here."""
        for reference in bundles.references(item.body):
            if bundles.is_conditional(reference["reference"]):
                reference["reference"] = self._target(reference["reference"]) or reference["reference"]

    def _target(self, reference: str) -> str | None:
        """What a conditional reference finds; remembered, a miss until the next records are written."""
        if reference not in self.targets:
            if len(self.targets) >= _MOST_TARGETS:
                self.targets.clear()
            self.targets[reference] = _find(reference)
        return self.targets[reference]

    def _forget_misses(self) -> None:
        self.targets = {reference: found for reference, found in self.targets.items() if found}

    def _record(self, versions: list[RecordVersion]) -> None:
        """Leave the rows of this batch in the trail: one for each patient, apart for what is new and what changed."""
        for interaction in (RecordVersion.Interaction.CREATE, RecordVersion.Interaction.UPDATE):
            written: dict[str, Disclosure] = {}
            for version in versions:
                if version.interaction == interaction:
                    shown = written.setdefault(version.resource_type, Disclosure(version.resource_type))
                    shown.rows.append((version.logical_id, version.version, version.patients))
            if written:
                only = next(iter(written)) if len(written) == 1 else ""
                facts = trail.disclosed(interaction.value, written.values())
                trail.record(self.request.to(interaction.value, only), facts)


def batches(items: Iterator[Item], size: int) -> Iterator[list[Item]]:
    """Cut `items` into batches of at most `size` in which no resource comes with two contents."""
    batch: list[Item] = []
    digests: dict[Any, bytes] = {}
    for item in items:
        if len(batch) >= size or digests.get(item.key, item.digest) != item.digest:
            yield batch
            batch, digests = [], {}
        batch.append(item)
        digests[item.key] = item.digest
    if batch:
        yield batch


def _repeats(batch: Sequence[Item], first: dict[Any, Item], done: list[Done]) -> list[Done]:
    """What became of the items that repeat one of the same batch: the second time, it changes nothing."""
    known = {each.item.key: each for each in done}
    again: dict[Outcome, Outcome] = {"created": "unchanged", "updated": "unchanged"}
    repeated = [item for item in batch if first[item.key] is not item]
    outcomes = [(item, known[item.key]) for item in repeated]
    return [Done(item, again.get(each.outcome, each.outcome), each.reasons) for item, each in outcomes]


def _draft(resource: Resource, item: Item, author: Actor) -> tuple[Draft | None, list[tuple[str, str]]]:
    """The draft of an item; or none, and why the type's own checks refuse it."""
    try:
        return store.draft_of(resource, item.body, str(item.body["id"]), author), []
    except FHIRError as refused:
        return None, _told(refused.issues)


def _told(issues: Iterable[Issue]) -> list[tuple[str, str]]:
    refusing = (issue for issue in issues if issue.severity in ("error", "fatal"))
    return [(issue.path, sentence(issue)) for issue in islice(refusing, _FAULTS_SHOWN)]


def _locked(resource: Resource, ids: list[str]) -> QuerySet[Record]:
    rows = resource.model.objects.select_for_update().filter(logical_id__in=ids).order_by("uuid")
    kept = ("logical_id", "version", "created_at", "source", "source_digest", "source_version")
    return rows.only(*kept)


def _facts(row: Record | None) -> Stored | None:
    if row is None:
        return None
    digest = None if row.source_digest is None else bytes(row.source_digest)
    return Stored(row.source, digest, row.source_version, row.version)


def _replaced(kind: str, ids: list[str]) -> set[tuple[str, bytes]]:
    rows = ReplacedContent.objects.filter(resource_type=kind, logical_id__in=ids)
    return {(logical_id, bytes(digest)) for logical_id, digest in rows.values_list("logical_id", "digest")}


def _remember_replaced(kind: str, rows: Sequence[Record | KeptResource]) -> None:
    contents = [
        (row.logical_id, bytes(digest))
        for row in rows
        if (digest := row.digest if isinstance(row, KeptResource) else row.source_digest)
    ]
    ReplacedContent.objects.bulk_create(
        [ReplacedContent(resource_type=kind, logical_id=i, digest=digest) for i, digest in contents],
        ignore_conflicts=True,
    )


def _find(reference: str) -> str | None:
    """Return `Type/id` of the one live record that a conditional reference finds."""
    kind, _, text = reference.partition("?")
    resource = registry().get(kind)
    if resource is None:
        return None
    try:
        search = query.parse(resource, parse_qsl(text), AccessRequest(SYSTEM, "search", kind))
    except BadSearch:
        return None
    if not search.conditions:
        return None
    found = search.narrow(resource.model.objects.live()).values_list("logical_id", flat=True)[:2]
    return f"{kind}/{found[0]}" if len(found) == 1 else None
