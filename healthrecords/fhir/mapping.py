"""Between a FHIR resource and a record's columns, from rows of data, without loss.

An `Element` moves one value at a path into a column; what no row takes stays behind, in place, as `extra`, and is
laid under the columns again when the resource is rendered. So a resource comes out as it went in.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from healthrecords.records import Part, Record

from .primitives import STRING, Primitive

Step = str | int
JSON = dict[str, Any]
MISSING = object()


@dataclass(frozen=True)
class Coder:
    """How a value and its column differ: `take` gives the column's value or MISSING to leave it in `extra`."""

    take: Callable[[Any], Any] = lambda value: value
    give: Callable[[Any], Any] = lambda value: value


PLAIN = Coder()


def reference_to(resource_type: str) -> Coder:
    """The literal reference `Type/id` as that id; a reference of any other form stays as it was sent."""
    head = f"{resource_type}/"

    def take(value: Any) -> Any:
        rest = value.removeprefix(head)
        return rest if value.startswith(head) and rest and "/" not in rest and "#" not in rest else MISSING

    return Coder(take, lambda column: head + column)


@dataclass(frozen=True)
class Element:
    """One value: its path (`name.0.family`; numbers are positions in a list), column, type and permitted codes."""

    path: str
    column: str
    type: Primitive = STRING
    codes: frozenset[str] | None = None
    coder: Coder = PLAIN
    many: bool = False

    @property
    def steps(self) -> list[Step]:
        return [int(step) if step.isdigit() else step for step in self.path.split(".")]


@dataclass(frozen=True)
class Slice:
    """An extension known by its url, as a whole in one column; `take` answers MISSING for what it cannot give back."""

    url: str
    column: str
    coder: Coder


@dataclass(frozen=True)
class Parts:
    """A repeated element whose items are rows of their own."""

    path: str
    model: type[Part]
    related: str
    elements: tuple[Element, ...]


@dataclass(frozen=True)
class Mapping:
    """A resource type's columns and parts; `others` are the elements of R4 that stay in `extra`."""

    model: type[Record]
    elements: tuple[Element, ...]
    parts: tuple[Parts, ...] = ()
    slices: tuple[Slice, ...] = ()
    others: frozenset[str] = frozenset()


@dataclass
class Draft:
    """A record with its parts in memory, as it is about to be written or rendered."""

    record: Record
    parts: dict[str, list[Part]] = field(default_factory=dict)


def from_fhir(mapping: Mapping, resource: JSON) -> Draft:
    """Return the record and parts that `resource` (validated) describes; id and meta's versionId and time apart."""
    rest = _copy({name: value for name, value in resource.items() if name not in ("resourceType", "id")})
    for name in ("versionId", "lastUpdated"):
        rest.get("meta", {}).pop(name, None)
    record = mapping.model()
    parts = {
        each.related: [_part(each, item, n) for n, item in enumerate(rest.pop(each.path, []))] for each in mapping.parts
    }
    _take_slices(mapping.slices, rest, record)
    _take(mapping.elements, rest, record)
    record.extra = prune(rest) or None
    return Draft(record, parts)


def load(mapping: Mapping, record: Record) -> Draft:
    """Return the draft of a stored record, its parts read from their tables."""
    return Draft(record, {each.related: list(getattr(record, each.related).all()) for each in mapping.parts})


def to_fhir(mapping: Mapping, draft: Draft) -> JSON:
    """Return the resource that a draft holds, without id and version."""
    made: JSON = _copy(draft.record.extra or {})
    _give(mapping.elements, made, draft.record)
    for each in mapping.parts:
        items = [_item(each, part) for part in draft.parts.get(each.related, [])]
        if items:
            made[each.path] = items
    _give_slices(mapping.slices, made, draft.record)
    return made


def _part(each: Parts, item: JSON, position: int) -> Part:
    part = each.model(position=position)
    rest = _copy(item)
    _take(each.elements, rest, part)
    part.extra = prune(rest) or None
    return part


def _item(each: Parts, part: Part) -> JSON:
    made: JSON = _copy(part.extra or {})
    _give(each.elements, made, part)
    return made


def _take(elements: Iterable[Element], rest: JSON, target: Any) -> None:
    for element in elements:
        value = _find(rest, element.steps)
        column = MISSING if value is MISSING else element.coder.take(value)
        if column is not MISSING:
            setattr(target, element.column, column)
            _remove(rest, element.steps)


def _give(elements: Iterable[Element], made: JSON, source: Any) -> None:
    for element in elements:
        column = getattr(source, element.column)
        if column not in (None, "", []):
            _put(made, element.steps, element.coder.give(column))


def _take_slices(slices: Iterable[Slice], rest: JSON, record: Record) -> None:
    """Take known extensions; each leaves its bare url behind, which marks its place in the list."""
    for each in slices:
        found = next((e for e in rest.get("extension", []) if e.get("url") == each.url), None)
        column = each.coder.take(found) if found else MISSING
        if found and column is not MISSING and each.coder.give(column) == found:
            setattr(record, each.column, column)
            found_at = rest["extension"].index(found)
            rest["extension"][found_at] = {"url": each.url}


def _give_slices(slices: Iterable[Slice], made: JSON, record: Record) -> None:
    extensions = made.get("extension", [])
    for each in slices:
        column, mark = getattr(record, each.column), {"url": each.url}
        given = [each.coder.give(column)] if column not in (None, "", [], {}) else []
        if mark in extensions:
            at = extensions.index(mark)
            extensions[at : at + 1] = given
        elif given:
            extensions[:] = [e for e in extensions if e.get("url") != each.url] + given
    made.pop("extension", None)
    if extensions:
        made["extension"] = extensions


def _find(tree: Any, steps: list[Step]) -> Any:
    for step in steps:
        try:
            tree = tree[step]
        except (KeyError, IndexError, TypeError):
            return MISSING
    return tree


def _remove(tree: Any, steps: list[Step]) -> None:
    *path, last = steps
    for step in path:
        tree = tree[step]
    del tree[last]


def _put(tree: Any, steps: list[Step], value: Any) -> None:
    for step, following in zip(steps, [*steps[1:], None], strict=True):
        fresh = value if following is None else [] if isinstance(following, int) else {}
        if isinstance(step, int):
            tree.extend({} for _ in range(step + 1 - len(tree)))
            if following is None or not tree[step]:
                tree[step] = fresh
        elif following is None or step not in tree:
            tree[step] = fresh
        tree = tree[step]


def prune(tree: Any) -> Any:
    """Drop what became empty; inside a list an emptied item stays as the mark of its place."""
    if isinstance(tree, dict):
        kept = {name: prune(value) for name, value in tree.items()}
        return {name: value for name, value in kept.items() if not _hollow(value)}
    return [prune(item) for item in tree] if isinstance(tree, list) else tree


def _hollow(value: Any) -> bool:
    return value == {} or (isinstance(value, list) and all(_hollow(item) for item in value))


def _copy(tree: Any) -> Any:
    if isinstance(tree, dict):
        return {name: _copy(value) for name, value in tree.items()}
    return [_copy(item) for item in tree] if isinstance(tree, list) else tree
