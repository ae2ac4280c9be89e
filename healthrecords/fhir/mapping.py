"""Between a FHIR resource and a record's columns, from rows of data, without loss.

An `Element` moves one value at a path into a column; what no row takes stays behind, in place, as `extra`, and is
laid under the columns again when the resource is rendered. So a resource comes out as it went in.

A value that its column cannot give back exactly (a reference with a version, a code with its display) fills the
column and stays in `extra` as well. It is shown for as long as the column says the same, and gives way once a form
has changed the column.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from healthrecords.records import Part, Record

from .primitives import CODE_TYPE, STRING, Primitive
from .references import target_of

Step = str | int
JSON = dict[str, Any]
MISSING = object()


@dataclass(frozen=True)
class Coder:
    """How a value and its column differ: `take` gives the column's value or MISSING to leave it in `extra`."""

    take: Callable[[Any], Any] = lambda value: value
    give: Callable[[Any], Any] = lambda value: value


PLAIN = Coder()


def literal_to(resource_type: str) -> Coder:
    """The text of a literal reference to a type, as the logical id that it names."""

    def take(value: Any) -> Any:
        target = target_of(value)
        return target[1] if target and target[0] == resource_type else MISSING

    return Coder(take, lambda column: f"{resource_type}/{column}")


# The text of a literal reference to any type, as type and logical id.
ANY_LITERAL = Coder(lambda value: target_of(value) or MISSING, "/".join)


def reference_to(resource_type: str) -> Coder:
    """A Reference, as the logical id that its literal reference names."""
    literal = literal_to(resource_type)
    return Coder(
        lambda value: literal.take(value["reference"]) if isinstance(value.get("reference"), str) else MISSING,
        lambda column: {"reference": literal.give(column)},
    )


def coding(system: str) -> Coder:
    """A Coding as its code; one without code stays. A code that a form enters is of `system`."""
    return Coder(lambda value: next(codes_in([value]), MISSING), lambda column: {"system": system, "code": column})


def concept(system: str, only: bool = False) -> Coder:
    """A CodeableConcept as the code of its first coding; with `only`, its first coding of `system`."""
    return Coder(
        lambda value: next(codes_in(value.get("coding"), system if only else None), MISSING),
        lambda column: {"coding": [{"system": system, "code": column}]},
    )


def codes_in(codings: Any, system: str | None = None) -> Iterator[str]:
    """The codes (short enough for a column) of a list of Codings, those of `system` alone if it is given."""
    for each in codings if isinstance(codings, list) else []:
        code = each.get("code") if isinstance(each, dict) and system in (None, each.get("system")) else None
        if isinstance(code, str) and len(code) <= CODE_TYPE.longest:
            yield code


@dataclass(frozen=True)
class Element:
    """One value: its path (`name.0.family`; numbers are positions in a list), column and type."""

    path: str
    column: str
    type: Primitive = STRING
    coder: Coder = PLAIN
    many: bool = False

    @cached_property
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
    """A repeated element whose items are rows of their own; a `single` one stands alone in FHIR, without a list."""

    path: str
    model: type[Part]
    related: str
    elements: tuple[Element, ...]
    single: bool = False
    most: int = 1000  # items of one resource: each is a row


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
    parts = {each.related: _rows(each, rest) for each in mapping.parts}
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
        items = [item for part in draft.parts.get(each.related, []) if (item := _item(each, part))]
        if items:
            made[each.path] = items[0] if each.single else items
    _give_slices(mapping.slices, made, draft.record)
    return made


def _rows(each: Parts, rest: JSON) -> list[Part]:
    found = rest.pop(each.path, [])
    return [_part(each, item, n) for n, item in enumerate([found] if each.single and found else found)]


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
        value = find(rest, element.steps)
        column = MISSING if value is MISSING else element.coder.take(value)
        if column is not MISSING:
            setattr(target, element.column, column)
            if element.coder.give(column) == value:
                _remove(rest, element.steps)


def _give(elements: Iterable[Element], made: JSON, source: Any) -> None:
    for element in elements:
        column, kept = getattr(source, element.column), find(made, element.steps)
        said = MISSING if kept is MISSING else element.coder.take(kept)
        if not _empty(column):
            if said != column:
                _put(made, element.steps, element.coder.give(column))
        elif said is not MISSING:  # what the column once held was cleared since
            _remove(made, element.steps)
            _tidy(made)


def _empty(column: Any) -> bool:
    return column is None or column in ("", [], {})


def _take_slices(slices: Iterable[Slice], rest: JSON, record: Record) -> None:
    """Take known extensions; each leaves its url behind as a bare text, which marks its place in the list."""
    extensions = rest.get("extension", [])
    for each in slices:
        at = _position(each, extensions)
        column = MISSING if at is None else each.coder.take(extensions[at])
        if column is not MISSING:
            setattr(record, each.column, column)
            if each.coder.give(column) == extensions[at]:
                extensions[at] = each.url


def _give_slices(slices: Iterable[Slice], made: JSON, record: Record) -> None:
    extensions = made.pop("extension", [])
    for each in slices:
        column, at = getattr(record, each.column), _position(each, extensions)
        given = [] if _empty(column) else [each.coder.give(column)]
        if at is None:
            extensions += given
        elif not _stands(each, extensions[at], column):
            extensions[at : at + 1] = given
    if extensions:
        made["extension"] = extensions


def _stands(each: Slice, kept: Any, column: Any) -> bool:
    """Whether an extension that stayed in `extra` still says what the column says."""
    said = MISSING if kept == each.url else each.coder.take(kept)
    return kept != each.url and (_empty(column) if said is MISSING else said == column)


def _position(each: Slice, extensions: list[Any]) -> int | None:
    found = (n for n, e in enumerate(extensions) if e == each.url or (isinstance(e, dict) and e.get("url") == each.url))
    return next(found, None)


def find(tree: Any, steps: list[Step]) -> Any:
    """Return the value at a path; MISSING where there is none."""
    for step in steps:
        if not isinstance(tree, list if isinstance(step, int) else dict):
            return MISSING
        try:
            tree = tree[step]  # type: ignore[index]
        except LookupError:
            return MISSING
    return tree


def _remove(tree: Any, steps: list[Step]) -> None:
    *path, last = steps
    for step in path:
        tree = tree[step]
    if isinstance(last, int):
        tree[last] = {}  # its neighbours keep their places
    else:
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


def _tidy(made: JSON) -> None:
    """Drop what a cleared column left empty, place marks with it."""
    kept = prune(made)
    made.clear()
    made.update({name: _filled(value) for name, value in kept.items()})


def _filled(tree: Any) -> Any:
    if isinstance(tree, list):
        return [_filled(item) for item in tree if item != {}]
    return {name: _filled(value) for name, value in tree.items()} if isinstance(tree, dict) else tree


def _hollow(value: Any) -> bool:
    return value == {} or (isinstance(value, list) and all(_hollow(item) for item in value))


def _copy(tree: Any) -> Any:
    if isinstance(tree, dict):
        return {name: _copy(value) for name, value in tree.items()}
    return [_copy(item) for item in tree] if isinstance(tree, list) else tree
