"""The walk over a resource: structure, cardinality, types, formats, bindings, references and invariants, in one pass.

Faults come out in the order of the document, each with the FHIRPath of its element: the parent for an element that is
missing or unknown, the element itself for all else.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from healthrecords.fhir.outcome import Issue

from . import bundles, capabilities, extensions, narrative, profiles, references, table, vocabulary
from .rules import Rule, Scope
from .table import Field, Type

JSON = dict[str, Any]

MAX_DEPTH = 100  # levels of nesting; the deepest of HL7's examples has 14
ELEMENT = "Element"


class Walk:
    """One validation: `issues` fills as resources are visited."""

    def __init__(self) -> None:
        self.issues: list[Issue] = []
        self.depth = 0

    def add(self, code: str, text: str, path: str, severity: str = "error") -> None:
        self.issues.append(Issue(code, text, path, severity))

    def resource(
        self, body: Any, path: str, outer: Scope | None = None, contained: bool = False, asked: Sequence[str] = ()
    ) -> None:
        """Visit a resource: the root, a contained one (in the scope of its container), or one in a Bundle."""
        if not isinstance(body, dict):
            self.add("structure", "A resource is a JSON object.", path)
            return
        name = body.get("resourceType")
        if not isinstance(name, str) or name not in table.resource_types():
            said = f"'{str(name)[:60]}' is not a resource type of R4" if name else "The resourceType is missing"
            self.add("structure", f"{said}.", path)
            return
        path = path or name
        if contained and outer is not None:
            self._contained(body, name, path, outer)
            return
        scope = Scope(body, _contained_types(body), bundle=outer.bundle if outer else {})
        if name == "Bundle":
            scope.bundle = bundles.types_by_url(body)
        self.element(body, table.type_named(name), path, scope)
        if name == "Bundle":
            for code, text, at in bundles.faults(body, path):
                self.add(code, text, at)
        elif name == "CapabilityStatement":
            for code, text, at in capabilities.faults(body, path):
                self.add(code, text, at)
        self._profiles([*asked, *claimed(body), *profiles.demanded(body)], body, path, scope)

    def _profiles(self, canonicals: Iterable[str], body: JSON, path: str, scope: Scope) -> None:
        """Profiles asked for, claimed, or demanded by R4 itself; one that does not ship is a warning."""
        for canonical in dict.fromkeys(canonicals):
            found = profiles.faults(body, canonical, path, scope)
            if found is None:
                self.add(
                    "not-found",
                    f"The profile '{canonical[:200]}' is not known here; it was not checked.",
                    path,
                    "warning",
                )
            for code, text, at in found or ():
                self.add(code, text, at)

    def _contained(self, body: JSON, name: str, path: str, scope: Scope) -> None:
        before, scope.inside = scope.inside, str(body.get("id"))
        self.element(body, table.type_named(name), path, scope)
        scope.inside = before

    def element(self, value: JSON, kind: Type, path: str, scope: Scope) -> None:
        """Visit an object of that type: its properties, what is missing, its invariants."""
        if not value:
            self.add("structure", "An object must not be empty; leave the element out.", path)
        elif self.depth >= MAX_DEPTH:
            self.add("structure", f"The JSON is nested more than {MAX_DEPTH} levels deep.", path)
        else:
            self.depth += 1
            self._properties(value, kind, path, scope)
            self._whole(value, kind, path, scope)
            self.depth -= 1

    def _properties(self, value: JSON, kind: Type, path: str, scope: Scope) -> None:
        fields = kind.fields
        for name, child in value.items():
            field = fields.get(name)
            if field is None:
                self._unlisted(name, value, kind, path, scope)
            elif field.many:
                self._list(child, field, value, path, scope)
            else:
                self._single(child, field, f"{path}.{name}", scope)

    def _whole(self, value: JSON, kind: Type, path: str, scope: Scope) -> None:
        for stem, names in kind.choices.items():
            given = sorted({name.removeprefix("_") for name in names.intersection(value)})
            if len(given) > 1:
                self.add("structure", f"Only one of {', '.join(given)} may be given ({stem}[x]).", path)
        for need in kind.needs:
            if need.properties.isdisjoint(value):
                self.add("required", f"The element '{need.name}' is missing, which {kind.name} requires.", path)
        self._rules(kind.rules, value, path, scope)

    def _rules(self, rules: tuple[Rule, ...], value: Any, path: str, scope: Scope) -> None:
        for rule in rules:
            if not rule.holds(value, scope):
                self.add("invariant", f"{rule.key}: {rule.text}", path)

    def _list(self, value: Any, field: Field, owner: JSON, path: str, scope: Scope) -> None:
        path = f"{path}.{field.name}"
        if type(value) is not list:
            self._not_a_list(value, path)
        elif not value:
            self.add("structure", "A list must not be empty; leave the element out.", path)
        else:
            beside = owner.get(f"_{field.name}") if field.check else None
            for position, item in enumerate(value):
                if item is None and field.check and _stands_in(beside, position):
                    continue  # null marks the place of an element that has only extensions (R4 §2.6.2)
                self._single(item, field, f"{path}[{position}]", scope)

    def _not_a_list(self, value: Any, path: str) -> None:
        self.add("structure", "null is not permitted." if value is None else "This element must be a list.", path)

    def _single(self, value: Any, field: Field, path: str, scope: Scope) -> None:
        check = field.check
        if check is not None:
            fault = check(value)
            if fault is not None:
                self._malformed(value, field, fault, path)
            else:
                self._primitive(value, field, path, scope)
        elif type(value) is dict:
            self._complex(value, field, path, scope)
        elif value is None:
            self.add("structure", "null is not permitted.", path)
        else:
            given = "a list" if type(value) is list else "a simple value"
            self.add("structure", f"This element must be an object ({field.type_name}), not {given}.", path)

    def _malformed(self, value: Any, field: Field, fault: str, path: str) -> None:
        if value is None:
            self.add("structure", "null is not permitted.", path)
        elif type(value) in (list, dict):
            given = "a list" if type(value) is list else "an object"
            self.add("structure", f"This element must be a single {field.type_name}, not {given}.", path)
        else:
            self.add("value", f"A value of type {field.type_name} {fault}.", path)

    def _primitive(self, value: Any, field: Field, path: str, scope: Scope) -> None:
        if field.binding is not None and not field.binding.has_code(value):
            self.add("code-invalid", f"{field.binding.fault(field.type_name, value)}.", path)
        elif field.link and value[0] == "#":
            scope.mention(value)
        elif field.type_name == "xhtml":
            for text in narrative.faults(value):
                self.add("invariant", text, path.removesuffix(".div"))

    def _complex(self, value: JSON, field: Field, path: str, scope: Scope) -> None:
        name = field.type_name
        if name == "Resource":
            self.resource(value, path, scope, contained=field.name == "contained")
            return
        self.element(value, table.type_named(name), path, scope)
        if name == "Reference":
            self._reference(value, field, path, scope)
        elif name == "Extension":
            for code, text, at, severity in extensions.faults(value, path, scope):
                self.add(code, text, at, severity)
        elif name == "Coding":
            unknown = vocabulary.unknown(value)
            if unknown:
                self.add("code-invalid", unknown, path, "warning")
        unmet = field.binding.fault(name, value) if field.binding is not None else None
        if unmet:
            self.add("code-invalid", f"This element {unmet}.", path)
        self._rules(field.rules, value, path.rpartition(".")[0], scope)  # HL7 states these of the whole element

    def _reference(self, value: JSON, field: Field, path: str, scope: Scope) -> None:
        literal = value.get("reference")
        if isinstance(literal, str) and literal.startswith("#"):
            scope.mention(literal)
        for fault in references.faults(value, field.targets, scope):
            self.add(fault.code, fault.text, path)

    def _unlisted(self, name: str, owner: JSON, kind: Type, path: str, scope: Scope) -> None:
        """A property that is no element: the type's name, the `_name` of a primitive, or unknown."""
        if name == "resourceType" and kind.is_resource:
            return
        field = kind.fields.get(name[1:]) if name.startswith("_") else None
        if field is None or field.check is None:
            self.add("structure", f"{kind.name} has no element '{name[:60]}'.", path)
        elif field.many:
            self._beside_list(owner, field, f"{path}.{field.name}", scope)
        else:
            self._beside(owner[name], owner.get(field.name), field, f"{path}.{field.name}", scope)

    def _beside(self, child: Any, value: Any, field: Field, path: str, scope: Scope) -> None:
        """The id and extensions of a primitive."""
        if type(child) is not dict:
            self.add("structure", f"'_{field.name}' must be an object with the id or extensions of the element.", path)
            return
        self.element(child, table.type_named(ELEMENT), path, scope)
        if value is None and child and "extension" not in child:
            self.add("invariant", "ele-1: All FHIR elements must have a @value or children", path)
        if value is None and field.binding is not None and field.binding.checkable:
            self.add("code-invalid", f"No code is given, and one of {field.binding.name} is required.", path)

    def _beside_list(self, owner: JSON, field: Field, path: str, scope: Scope) -> None:
        child, given = owner[f"_{field.name}"], owner.get(field.name)
        if type(child) is not list or not child:
            self.add("structure", "The ids and extensions of a list must be a list that is not empty.", path)
            return
        values = given if isinstance(given, list) else []
        if values and len(values) != len(child):
            self.add("structure", "The list and its '_' list must be equally long; fill gaps with null.", path)
        for position, item in enumerate(child):
            value = values[position] if position < len(values) else None
            if item is not None:
                self._beside(item, value, field, f"{path}[{position}]", scope)
            elif value is None:
                text = "null is not permitted where the element has neither value nor extension."
                self.add("structure", text, f"{path}[{position}]")


def claimed(body: JSON) -> list[str]:
    """The canonical URLs in a resource's `meta.profile`."""
    listed = body["meta"].get("profile") if isinstance(body.get("meta"), dict) else None
    return [each for each in listed if isinstance(each, str)] if isinstance(listed, list) else []


def _stands_in(beside: Any, position: int) -> bool:
    return isinstance(beside, list) and position < len(beside) and isinstance(beside[position], dict)


def _contained_types(body: JSON) -> dict[str, str]:
    listed = body.get("contained")
    items = [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []
    return {each["id"]: str(each.get("resourceType")) for each in items if isinstance(each.get("id"), str)}
