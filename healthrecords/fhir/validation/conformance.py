"""A profile as a tree of demands, and the check of a value against it; slices are told by pattern, value or type."""

from collections.abc import Iterable
from functools import cached_property
from typing import Any

from . import references
from .bindings import Binding
from .rules import Rule, Scope, rule_named
from .rules.registry import MISSING

JSON = dict[str, Any]
Fault = tuple[str, str, str]  # IssueType code, sentence, path
Found = tuple[Any, str]  # a value (None where a primitive has only extensions) and its path


class Profile:
    """A profile or extension definition: its URL, the version of its package, its title, the type that it narrows."""

    def __init__(self, url: str, version: str, row: JSON, content: JSON) -> None:
        self.url, self.version, self.kind = url, version, row["type"]
        self.title = f"{row['title']} {version}"
        self._row, self._content = row, content

    @cached_property
    def root(self) -> "Node":
        """The tree of demands."""
        return Node("", self._row, self)

    def binding(self, url: str) -> Binding:
        """The value set of that URL, as the profile's package has it."""
        return Binding(url, {system: frozenset(codes) for system, codes in self._content["codes"][url].items()})

    def rules(self, names: Iterable[str]) -> tuple[Rule, ...]:
        """The invariants of those names that are written here."""
        found = [rule_named(name, self._content["rules"].get(name, "")) for name in names]
        return tuple(each for each in found if each)


class Node:
    """What an element must meet; for a slice also `when`, the conditions that tell its values."""

    def __init__(self, name: str, row: JSON, profile: Profile) -> None:
        self.name, self.stem = name, name.removesuffix("[x]")
        self.least, self.most = row.get("min", 0), row.get("max")
        self.fixed, self.pattern = row.get("fixed", MISSING), row.get("pattern", MISSING)
        self.properties = frozenset(self.stem + each[0].upper() + each[1:] for each in row.get("types", ()))
        self.types = ", ".join(row.get("types", ()))
        self.targets = frozenset(row.get("targets", ()))
        self.binding = profile.binding(row["codes"]) if "codes" in row else None
        self.rules = profile.rules(row.get("rules", ()))
        self.children = [Node(each, child, profile) for each, child in row.get("children", {}).items()]
        self.slices = [Slice(name, each, profile) for each in row.get("slices", ())]

    @property
    def is_choice(self) -> bool:
        """Whether the element is one such as `value[x]`."""
        return self.stem != self.name


class Slice(Node):
    """A part of a repeating or choice element, told by its conditions."""

    def __init__(self, name: str, row: JSON, profile: Profile) -> None:
        super().__init__(name, row, profile)
        self.label = f"{name} ({row['name']})"
        self._when = [_Condition(name, each, profile) for each in row["when"]]

    def holds(self, value: Any, path: str) -> bool:
        """Whether a value of the element is of this slice."""
        return all(each.holds(value, path) for each in self._when)


class _Condition:
    """One discriminator of a slice."""

    def __init__(self, name: str, row: JSON, profile: Profile) -> None:
        self._steps = row["path"].split(".") if row["path"] else []
        self._node = Node(
            name, {each: row[each] for each in ("fixed", "pattern", "codes", "types") if each in row}, profile
        )

    def holds(self, value: Any, path: str) -> bool:
        node = self._node
        if node.properties:
            return _property(path) in node.properties
        found = _reach(value, self._steps)
        if node.binding is not None:
            return any(_unbound(node.binding, each) is None for each in found)
        if node.fixed is not MISSING:
            return any(_equals(each, node.fixed) for each in found)
        return any(_includes(each, node.pattern) for each in found)


def check(profile: Profile, value: JSON, path: str, scope: Scope) -> list[Fault]:
    """How a value fails a profile, in the order of the profile's elements."""
    visit = _Visit(profile, scope)
    visit.value(value, profile.root, path)
    return visit.faults


class _Visit:
    """One pass of a profile over a value."""

    def __init__(self, profile: Profile, scope: Scope) -> None:
        self.title, self.scope = profile.title, scope
        self.faults: list[Fault] = []

    def _add(self, code: str, text: str, path: str) -> None:
        self.faults.append((code, text, path))

    def value(self, value: Any, node: Node, path: str) -> None:
        """A value against its node, and all below it."""
        if node.fixed is not MISSING and not _equals(value, node.fixed):
            self._add("value", f"{self.title} wants {_short(node.fixed)} here.", path)
        if node.pattern is not MISSING and not _includes(value, node.pattern):
            self._add("value", f"{self.title} wants {_short(node.pattern)} here.", path)
        unmet = _unbound(node.binding, value) if node.binding is not None else None
        if unmet:
            self._add("code-invalid", f"{self.title}: this element {unmet}.", path)
        if node.targets and isinstance(value, dict):
            for fault in references.faults(value, node.targets, self.scope):
                self._add(fault.code, f"{self.title}: {fault.text}", path)
        for rule in node.rules if node.is_choice or isinstance(value, dict) else ():
            if not rule.holds(value, self.scope):
                self._add("invariant", f"{rule.key}: {rule.text}", path)
        if isinstance(value, dict):
            for child in node.children:
                self._element(value, child, path)

    def _element(self, owner: JSON, node: Node, path: str) -> None:
        found = _values(owner, node, path)
        self._count(len(found), node, node.name, path)
        for value, at in found:
            if node.properties and _property(at) not in node.properties:
                self._add("structure", f"{self.title} permits {node.name} as {node.types} only.", at)
            if value is not None:
                self.value(value, node, at)
        for each in node.slices if len(found) >= node.least else ():
            chosen = [(value, at) for value, at in found if each.holds(value, at)]
            self._count(len(chosen), each, each.label, path)
            for value, at in chosen:
                self.value(value, each, at)

    def _count(self, number: int, node: Node, name: str, path: str) -> None:
        if number < node.least:
            wants = "requires" if node.least == 1 else f"requires {node.least} of"
            self._add("required", f"{self.title} {wants} the element '{name}'.", path)
        if node.most is not None and number > node.most:
            self._add("structure", f"{self.title} permits at most {node.most} of the element '{name}'.", path)


def _values(owner: JSON, node: Node, path: str) -> list[Found]:
    if not node.is_choice:
        return _values_of(owner, node.name, path)
    length = len(node.stem)
    names = {each.removeprefix("_") for each in owner if each.removeprefix("_").startswith(node.stem)}
    chosen = sorted(each for each in names if each[length : length + 1].isupper())
    return [found for name in chosen for found in _values_of(owner, name, path)]


def _values_of(owner: JSON, name: str, path: str) -> list[Found]:
    value = owner.get(name)
    if isinstance(value, list):
        return [(item, f"{path}.{name}[{position}]") for position, item in enumerate(value)]
    return [(value, f"{path}.{name}")] if value is not None or f"_{name}" in owner else []


def _property(path: str) -> str:
    return path.rpartition(".")[2].partition("[")[0]


def _reach(value: Any, steps: list[str]) -> list[Any]:
    """The values at the end of a path, through every item of a list."""
    if isinstance(value, list):
        return [found for item in value for found in _reach(item, steps)]
    if not steps:
        return [value]
    return _reach(value[steps[0]], steps[1:]) if isinstance(value, dict) and steps[0] in value else []


def _unbound(binding: Binding, value: Any) -> str | None:
    if not isinstance(value, dict):
        return binding.fault("code", value)
    return binding.fault("CodeableConcept" if "coding" in value or "text" in value else "Coding", value)


def _equals(value: Any, wanted: Any) -> bool:
    return type(value) is type(wanted) and bool(value == wanted)


def _includes(value: Any, wanted: Any) -> bool:
    """Whether a value has all that a pattern has (R4 ElementDefinition.pattern[x])."""
    if isinstance(wanted, dict):
        inside = isinstance(value, dict)
        return inside and all(name in value and _includes(value[name], each) for name, each in wanted.items())
    if isinstance(wanted, list):
        items = value if isinstance(value, list) else [value]
        return all(any(_includes(item, each) for item in items) for each in wanted)
    return _equals(value, wanted)


def _short(value: Any) -> str:
    named = isinstance(value, dict)
    text = ", ".join(f"{name} {each!r}" for name, each in value.items()) if named else repr(value)
    return text if len(text) <= 200 else f"{text[:200]}…"
