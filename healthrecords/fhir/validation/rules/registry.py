"""Where invariants are kept: a function for each key, true when the element keeps the rule."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

JSON = dict[str, Any]


@dataclass
class Scope:
    """What a rule may look at beside its element: the resource around it, and what the walk has seen there.

    `contained` has the types of the contained resources by id; `mentioned` the ids that a local reference named, or
    that refer back to the container; `bundle` the types of a Bundle's entries by fullUrl; `inside` is the id of the
    contained resource that the walk is in.
    """

    resource: JSON
    contained: dict[str, str] = field(default_factory=dict)
    mentioned: set[str] = field(default_factory=set)
    bundle: dict[str, str] = field(default_factory=dict)
    inside: str = ""

    def mention(self, literal: str) -> None:
        """Note a local reference: `#id` names a contained resource, `#` the container from `inside` one."""
        self.mentioned.add(literal[1:] or self.inside)


MISSING = object()  # no value, where None could be one
Test = Callable[[JSON, Scope], bool]
_TESTS: dict[str, Test] = {}


@dataclass(frozen=True)
class Rule:
    """An invariant: its key, HL7's sentence, and its test."""

    key: str
    text: str
    holds: Test


def invariant(*keys: str) -> Callable[[Test], Test]:
    """Register a function as the test of these keys (`key@path` where HL7 used one key for two rules)."""

    def register(test: Test) -> Test:
        _TESTS.update(dict.fromkeys(keys, test))
        return test

    return register


def rule_named(name: str, text: str) -> Rule | None:
    """The rule of that name; None for one that is not written."""
    test = _TESTS.get(name)
    return Rule(name.partition("@")[0], text, test) if test else None


def written() -> frozenset[str]:
    """The keys of every invariant that has a test here."""
    return frozenset(_TESTS)


def listed(element: Any, name: str) -> list[JSON]:
    """The objects in a repeating element; what is malformed there was reported already and is left out."""
    value = element.get(name) if isinstance(element, dict) else None
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def within(element: Any, *names: str) -> JSON:
    """The object at the end of a path of single elements; empty where there is none."""
    for name in names:
        element = element.get(name) if isinstance(element, dict) else None
    return element if isinstance(element, dict) else {}


def text_of(element: Any, name: str) -> str:
    """A string element; empty where there is none."""
    value = element.get(name) if isinstance(element, dict) else None
    return value if isinstance(value, str) else ""


def has(element: JSON, *names: str) -> bool:
    """Whether one of the elements exists: its value or, for a primitive, its extensions; `value[x]` in any type."""
    return any(_has(element, name) for name in names)


def _has(element: JSON, name: str) -> bool:
    if name.endswith("[x]"):
        return any(_is_of(each.removeprefix("_"), name[:-3]) for each in element)
    return name in element or f"_{name}" in element


def _is_of(name: str, stem: str) -> bool:
    return name.startswith(stem) and name[len(stem) : len(stem) + 1].isupper()


def coded(concept: Any, system: str, *codes: str) -> bool:
    """Whether a CodeableConcept has one of the codes of a system."""
    return any(each.get("system") == system and each.get("code") in codes for each in listed(concept, "coding"))


def distinct(values: list[Any]) -> bool:
    """Whether no two are equal."""
    return len(set(map(str, values))) == len(values)
