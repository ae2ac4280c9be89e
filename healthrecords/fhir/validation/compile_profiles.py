"""Profiles and extension definitions as trees of what they demand beyond R4 itself; part of the compiler.

A node holds what its element must meet: `min`, `max`, `fixed`, `pattern`, `codes` (a value set's URL), `types` and
`targets` where they are narrower, `rules`, `children` by element name, and `slices`, each a node with `when`: the
conditions that a value of the slice meets.
"""

from typing import Any

from .packages import Package, required_value_set, tail

JSON = dict[str, Any]
Elements = dict[str, JSON]

UNBOUNDED = "*"
_VALUE = ("fixed", "pattern")


# HL7 requires it of every component of a vital sign, and fixes the unit L/min, which is not in it, for oxygen flow.
_CONTRADICTED = ("http://hl7.org/fhir/ValueSet/ucum-vitals-common",)


def profile_table(package: Package, core: Package) -> JSON:
    """What a package's profiles and extensions demand, by canonical URL."""
    package.base = core
    return _table(package, _constraints(package), core)


def extension_table(core: Package) -> JSON:
    """What the extensions that R4 itself defines demand."""
    return _table(core, [each for each in _constraints(core) if each["type"] == "Extension"], core)


def vital_signs_table(core: Package) -> JSON:
    """What the profiles on Observation demand that R4 itself wants of vital signs (R4 §10.1.5)."""
    return _table(core, [each for each in _constraints(core) if _is_of_vital_signs(each)], core)


def _is_of_vital_signs(definition: JSON) -> bool:
    family = (definition["id"], tail(definition.get("baseDefinition", "")))
    return definition["type"] == "Observation" and "vitalsigns" in family


def _constraints(package: Package) -> list[JSON]:
    definitions = package.of_kind("StructureDefinition")
    return [each for each in definitions if each.get("derivation") == "constraint" and "snapshot" in each]


def _table(package: Package, definitions: list[JSON], core: Package) -> JSON:
    compiler = _Compiler(package, core.elements)
    profiles = {each["url"]: compiler.profile(each) for each in definitions}
    return {
        "source": f"{package.key}, CC0-1.0",
        "profiles": dict(sorted(profiles.items())),
        "codes": dict(sorted(compiler.codes.items())),
        "rules": dict(sorted(compiler.rules.items())),
    }


class _Compiler:
    """Compiles the profiles of one package; collects the value sets and the sentences of the rules they use."""

    def __init__(self, package: Package, core: Elements) -> None:
        self.package, self.core = package, core
        self.codes: dict[str, dict[str, list[str]]] = {}
        self.rules: dict[str, str] = {}

    def profile(self, definition: JSON) -> JSON:
        elements = {each["id"]: each for each in definition["snapshot"]["element"]}
        root = next(iter(elements))
        return {"type": definition["type"], "title": definition.get("title", definition["name"])} | self._node(
            root, elements
        )

    def _node(self, identity: str, elements: Elements) -> JSON:
        element = elements[identity]
        node = self._demands(element)
        children = {
            tail(each, "."): self._node(each, elements)
            for each in elements
            if each.rpartition(".")[0] == identity and ":" not in tail(each, ".")
        }
        children = {name: child for name, child in children.items() if child}
        if children:
            node["children"] = children
        slices = self._slices(identity, elements)
        if slices:
            node["slices"] = slices
        return node

    def _demands(self, element: JSON) -> JSON:
        base, root = element["base"], "." not in element["path"]
        known = self.core.get(base["path"], {})
        node: JSON = {}
        if element["min"] > base["min"] and not root:
            node["min"] = element["min"]
        if element["max"] != base["max"] and element["max"] != UNBOUNDED and not root:
            node["max"] = int(element["max"])
        for name, value in element.items():
            kind = next((each for each in _VALUE if name.startswith(each) and name[len(each) :][:1].isupper()), None)
            if kind:
                node[kind] = value
        self._add_types(node, element, known)
        self._add_codes(node, element, known)
        self._add_rules(node, element, known)
        return node

    def _add_types(self, node: JSON, element: JSON, known: JSON) -> None:
        codes = [each["code"] for each in element.get("type", []) if "code" in each]
        if element["path"].endswith("[x]") and len(codes) < len(known.get("type", codes)):
            node["types"] = codes
        targets = self._targets(element)
        if targets and targets != self._targets(known):
            node["targets"] = targets
        profiles = [
            url
            for each in element.get("type", [])
            if each.get("code") == "Extension"
            for url in each.get("profile", [])
        ]
        if len(profiles) == 1:
            node["extension"] = profiles[0].partition("|")[0]

    def _targets(self, element: JSON) -> list[str]:
        urls = [
            url
            for each in element.get("type", [])
            if each.get("code") == "Reference"
            for url in each.get("targetProfile", [])
        ]
        found = {(self.package.find(url, "StructureDefinition") or {}).get("type", tail(url)) for url in urls}
        return [] if "Resource" in found else sorted(found)

    def _add_codes(self, node: JSON, element: JSON, known: JSON) -> None:
        url = required_value_set(element)
        if url is None or url == required_value_set(known):
            return
        systems = self.package.expand(url)
        if systems is not None and url not in _CONTRADICTED:
            node["codes"] = url
            self.codes[url] = systems

    def _add_rules(self, node: JSON, element: JSON, known: JSON) -> None:
        inherited = {each["key"] for each in known.get("constraint", [])} | {"ele-1", "ext-1"}
        for constraint in element.get("constraint", []):
            if constraint["severity"] == "error" and constraint["key"] not in inherited | {"dom-6"}:
                name = f"{constraint['key']}@{element['path']}"
                self.rules[name] = constraint["human"]
                node.setdefault("rules", []).append(name)

    def _slices(self, identity: str, elements: Elements) -> list[JSON]:
        slicing = elements[identity].get("slicing")
        own = tail(identity, ".")
        if slicing is None or ":" in own:
            return []
        made = []
        for each in elements:
            if (
                each.startswith(f"{identity}:")
                and "." not in each[len(identity) :]
                and "/" not in each[len(identity) :]
            ):
                when = self._conditions(each, slicing.get("discriminator", []), elements)
                node = self._node(each, elements)
                if when and node:
                    made.append({"name": each[len(identity) + 1 :], "when": when} | node)
        return made

    def _conditions(self, identity: str, discriminators: list[JSON], elements: Elements) -> list[JSON]:
        """How a value of the slice is told; none when a discriminator cannot be judged from the resource alone."""
        made: list[JSON] = []
        for each in discriminators:
            found = self._condition(identity, each, elements)
            if not found:
                return []
            made += found
        return made

    def _condition(self, identity: str, discriminator: JSON, elements: Elements) -> list[JSON]:
        path = "" if discriminator["path"] == "$this" else discriminator["path"]
        if discriminator["type"] == "type" and not path:
            return [{"path": "", "types": [each["code"] for each in elements[identity]["type"]]}]
        if discriminator["type"] not in ("value", "pattern"):
            return []
        profile = self._demands(elements[identity]).get("extension")
        if path == "url" and profile:
            return [{"path": "url", "fixed": profile}]
        target = f"{identity}.{path}" if path else identity
        below = [each for each in elements if each == target or each.startswith(f"{target}.")]
        above = [
            identity + "".join(f".{step}" for step in path.split(".")[:count]) for count in range(path.count(".") + 1)
        ]
        for group in (below, above):
            found = [self._told(identity, each, elements) for each in group if each in elements]
            if any(found):
                return [each for each in found if each]
        codes = self._demands(elements[target]).get("codes") if target in elements else None
        return [{"path": path, "codes": codes}] if codes else []

    def _told(self, identity: str, element: str, elements: Elements) -> JSON:
        demands = self._demands(elements[element])
        told = {kind: demands[kind] for kind in _VALUE if kind in demands}
        return {"path": element[len(identity) :].lstrip("."), **told} if told else {}
