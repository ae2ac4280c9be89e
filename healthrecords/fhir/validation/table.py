"""The compiled definitions in memory: types, their elements, bindings. A type is built when it is first asked for."""

import gzip
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from . import primitives
from .bindings import Binding
from .rules import Rule, rule_named

DATA = Path(__file__).with_name("data")
JSON = dict[str, Any]


class Field:
    """One JSON property of a type: for a choice such as `value[x]`, one for each of its types."""

    __slots__ = ("binding", "check", "choice", "link", "many", "name", "rules", "targets", "type_name")

    def __init__(self, name: str, row: JSON, type_name: str, choice: str) -> None:
        self.name, self.type_name, self.choice = name, type_name, choice
        self.many = row.get("many", False)
        self.check = primitives.CHECKS.get(type_name)
        self.link = type_name in primitives.LINKS
        url = row.get("codes")
        self.binding = binding(url) if url else None
        self.targets: frozenset[str] = frozenset(row.get("targets", ())) if type_name == "Reference" else frozenset()
        self.rules = _rules(row.get("rules", ()))


@dataclass(frozen=True)
class Need:
    """An element that must be there: the properties that satisfy it, and its name."""

    name: str
    properties: frozenset[str]


class Type:
    """A resource, data type or backbone element, with what it inherits."""

    def __init__(self, name: str, row: JSON, base: "Type | None") -> None:
        self.name = name
        self.is_resource: bool = row.get("resource", base.is_resource if base else False)
        self.fields: dict[str, Field] = dict(base.fields) if base else {}
        self.needs: tuple[Need, ...] = base.needs if base else ()
        self.choices: dict[str, frozenset[str]] = dict(base.choices) if base else {}
        self.rules: tuple[Rule, ...] = (base.rules if base else ()) + _rules(row.get("rules", ()))
        for element, each in row["elements"].items():
            self._add(element, each)

    def _add(self, element: str, row: JSON) -> None:
        stem = element.removesuffix("[x]")
        names = {stem + _suffix(each) if stem != element else stem: each for each in row["types"]}
        choice = stem if stem != element else ""
        for name, type_name in names.items():
            self.fields[name] = Field(name, row, type_name, choice)
        either = frozenset(names) | {f"_{name}" for name in names}
        if choice:
            self.choices[choice] = either
        if row.get("min"):
            self.needs += (Need(element, either),)


def _suffix(type_name: str) -> str:
    """The end of a choice's property name; a profile of Quantity has that of Quantity."""
    plain = "Quantity" if type_name.endswith("Quantity") else type_name
    return plain[0].upper() + plain[1:]


def _rules(names: Any) -> tuple[Rule, ...]:
    return tuple(rule for rule in (rule_named(name, rows()["rules"].get(name, "")) for name in names) if rule)


def read(path: Path) -> Any:
    """The content of a compiled table."""
    return json.loads(gzip.decompress(path.read_bytes()))


@cache
def rows() -> JSON:
    """The compiled table of R4."""
    return read(DATA / "r4.json.gz")


@cache
def type_named(name: str) -> Type:
    """The type of that name; KeyError when R4 has none."""
    row = rows()["types"][name]
    return Type(name, row, type_named(row["base"]) if row["base"] else None)


@cache
def binding(url: str) -> Binding:
    """The value set of that URL as far as it can be checked."""
    systems = rows()["codes"].get(url)
    return Binding(url, systems and {system: frozenset(codes) for system, codes in systems.items()})


@cache
def resource_types() -> frozenset[str]:
    """The names of R4's resource types; the abstract ones are none."""
    return frozenset(name for name, row in rows()["types"].items() if row.get("resource"))
