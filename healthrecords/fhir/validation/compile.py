"""Turn HL7's definitions into the compact tables that ship; run by a developer, never by the server.

    python -m healthrecords.fhir.validation.compile DEFINITIONS_DIR OUTPUT_DIR

DEFINITIONS_DIR holds the npm packages hl7.fhir.r4.core 4.0.1 and hl7.fhir.us.core (CC0-1.0) as `.tgz` files, in it or
in folders below it. The output is the same for the same input, byte by byte.
"""

import gzip
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .bindings import FORMATS
from .compile_profiles import extension_table, profile_table, vital_signs_table
from .packages import CORE, Package, packages_below, required_value_set, tail

JSON = dict[str, Any]
STRUCTURES = ("resource", "complex-type")
FOUNDATION = {"http://hl7.org/fhirpath/System.String": "string"}
REPEATED_EVERYWHERE = ("ele-1", "ext-1")  # a snapshot repeats them on every element
QUANTITY_PROFILES = ("SimpleQuantity", "MoneyQuantity")
UNBOUNDED = "*"


def core_table(core: Package) -> JSON:
    """The table of every R4 resource and data type: elements, bindings, reference targets, invariants, value sets."""
    definitions = sorted(filter(_is_type, core.of_kind("StructureDefinition")), key=lambda each: str(each["id"]))
    shared = _ambiguous_keys(definitions)
    types: JSON = {}
    rules: dict[str, str] = {}
    for definition in definitions:
        for name, row in _types_of(definition, shared, rules):
            types[name] = row
    bound = {row["codes"] for each in types.values() for row in each["elements"].values() if "codes" in row}
    codes = {url: core.expand(url) for url in sorted(bound)}
    return {
        "source": f"{core.name} {core.version}, CC0-1.0",
        "types": types,
        "rules": dict(sorted(rules.items())),
        "codes": {url: systems for url, systems in codes.items() if systems is not None},
        "searches": _search_types(core),
    }


def _search_types(core: Package) -> dict[str, list[str]]:
    """The names of HL7's search parameters (the end of their URL) by type."""
    named: dict[str, list[str]] = {}
    for each in core.of_kind("SearchParameter"):
        named.setdefault(each["type"], []).append(tail(each["url"]))
    return dict(sorted(named.items()))


def _is_type(definition: JSON) -> bool:
    if definition["id"] in QUANTITY_PROFILES:
        return True
    specialized = definition.get("derivation") != "constraint" and "snapshot" in definition
    return specialized and definition["kind"] in STRUCTURES


def _ambiguous_keys(definitions: list[JSON]) -> set[str]:
    """Invariant keys that HL7 gave to different expressions; those are told apart by their path."""
    seen: dict[str, set[str]] = {}
    for definition in definitions:
        for element in definition["snapshot"]["element"]:
            for constraint in element.get("constraint", []):
                seen.setdefault(constraint["key"], set()).add(constraint.get("expression", ""))
    return {key for key, expressions in seen.items() if len(expressions) > 1}


def _types_of(definition: JSON, shared: set[str], rules: dict[str, str]) -> Iterator[tuple[str, JSON]]:
    """Each type of a definition: its root, then every backbone element with children."""
    own = definition["type"] if definition["id"] not in QUANTITY_PROFILES else definition["id"]
    elements = definition["snapshot"]["element"]
    parents = {element["path"].rpartition(".")[0] for element in elements}
    for element in elements:
        path = element["path"]
        if path not in parents or _is_inherited(element, definition):
            continue
        children = [each for each in elements if each["path"].rpartition(".")[0] == path]
        kept = [each for each in children if not _is_inherited(each, definition)]
        root = "." not in path
        row: JSON = {
            "base": tail(definition.get("baseDefinition", "")) if root else element["type"][0]["code"],
            "elements": {tail(each["path"], "."): _element(each, parents, shared, rules) for each in kept},
        }
        names = _rules(element, shared, rules, keep=(own == "Element", own == "Extension") if root else (False, False))
        if definition["kind"] == "resource" and own not in ("Resource", "DomainResource"):
            names = [key for key in names if not key.startswith("dom-")]
        if names:
            row["rules"] = names
        if root and definition["kind"] == "resource":
            row["resource"] = not definition["abstract"]
        yield (own if root else path), row


def _is_inherited(element: JSON, definition: JSON) -> bool:
    if "." not in element["path"]:
        return False
    base = element["base"]["path"].partition(".")[0]
    return definition["id"] in QUANTITY_PROFILES or bool(base != definition["type"])


def _element(element: JSON, parents: set[str], shared: set[str], rules: dict[str, str]) -> JSON:
    path = element["path"]
    row: JSON = {}
    if "contentReference" in element:
        row["types"] = [element["contentReference"].lstrip("#")]
    else:
        row["types"] = [path] if path in parents else [_type_name(path, each) for each in element["type"]]
    if element["max"] == UNBOUNDED:
        row["many"] = True
    if element["min"]:
        row["min"] = element["min"]
    targets = reference_targets(element)
    if targets:
        row["targets"] = targets
    url = FORMATS if path == "CapabilityStatement.format" else required_value_set(element)
    if url:
        row["codes"] = url
    names = [] if path in parents else _rules(element, shared, rules, keep=(False, False))
    if names:
        row["rules"] = names
    return row


def _type_name(path: str, declared: JSON) -> str:
    if path == "Resource.id":
        return "id"  # the definition says string, its text says id (HL7 tracker J#16222)
    profiles = [tail(url) for url in declared.get("profile", [])]
    if profiles and profiles[0] in QUANTITY_PROFILES:
        return profiles[0]
    code = str(declared["code"])
    named = [each["valueUrl"] for each in declared.get("extension", []) if each["url"].endswith("fhir-type")]
    return named[0] if code in FOUNDATION and named else FOUNDATION.get(code, code)


def _rules(element: JSON, shared: set[str], rules: dict[str, str], keep: tuple[bool, bool]) -> list[str]:
    names = []
    unwanted = [key for key, kept in zip(REPEATED_EVERYWHERE, keep, strict=True) if not kept]
    for constraint in element.get("constraint", []):
        key = constraint["key"]
        if constraint["severity"] != "error" or key in unwanted:
            continue
        name = f"{key}@{element['path']}" if key in shared else key
        rules[name] = constraint["human"]
        names.append(name)
    return names


def reference_targets(element: JSON) -> list[str]:
    """The resource types that a Reference may point to; none when any may."""
    named = {
        tail(url)
        for each in element.get("type", [])
        if each["code"] == "Reference"
        for url in each.get("targetProfile", [])
    }
    return [] if "Resource" in named else sorted(named)


def write(path: Path, table: JSON) -> None:
    """Write a table as gzipped JSON without a time stamp."""
    text = json.dumps(table, ensure_ascii=False, separators=(",", ":"))
    path.write_bytes(gzip.compress(text.encode(), compresslevel=9, mtime=0))


def main(arguments: list[str]) -> int:
    """Compile every package found; return the exit code."""
    if len(arguments) != 2:
        sys.stderr.write("Give the folder of the packages and the folder to write to.\n")
        return 2
    source, output = map(Path, arguments)
    found = {each.key: each for each in packages_below(source)}
    if CORE not in found:
        sys.stderr.write("There is no package hl7.fhir.r4.core 4.0.1 in that folder.\n")
        return 2
    core = found.pop(CORE)
    write(output / "r4.json.gz", core_table(core))
    write(output / "vital-signs.json.gz", vital_signs_table(core))
    write(output / "extensions.json.gz", extension_table(core))
    for package in found.values():
        write(output / f"us-core-{package.version}.json.gz", profile_table(package, core))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
