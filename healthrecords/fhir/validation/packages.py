"""HL7's npm packages as they are published: definitions by kind, and value sets written out as codes."""

import json
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

JSON = dict[str, Any]
Systems = dict[str, list[str]]

CORE = "hl7.fhir.r4.core 4.0.1"


@dataclass
class Package:
    """The definitions of one package by file name; `base` is asked for what this one lacks."""

    name: str
    version: str
    files: dict[str, JSON] = field(repr=False)
    base: "Package | None" = None

    @cached_property
    def elements(self) -> dict[str, JSON]:
        """The elements of the resource and data types that the package defines, by path."""
        found: dict[str, JSON] = {}
        for each in self.of_kind("StructureDefinition"):
            if each.get("derivation") != "constraint":
                found |= {element["path"]: element for element in each.get("snapshot", {}).get("element", [])}
        return found

    @property
    def key(self) -> str:
        """Name and version."""
        return f"{self.name} {self.version}"

    def of_kind(self, kind: str) -> list[JSON]:
        """Every definition of one resource type, in the order of the file names."""
        return [each for name, each in sorted(self.files.items()) if each.get("resourceType") == kind]

    def find(self, url: str, kind: str) -> JSON | None:
        """The definition with that canonical URL (its version left aside), here or in the base package."""
        here = self._by_url.get((kind, url.partition("|")[0]))
        return here or (self.base.find(url, kind) if self.base else None)

    @cached_property
    def _by_url(self) -> dict[tuple[str, str], JSON]:
        return {(each["resourceType"], each["url"]): each for each in self.files.values() if "url" in each}

    def expand(self, url: str) -> Systems | None:
        """The codes of a value set by system; None when the package does not enumerate them."""
        definition = self.find(url, "ValueSet")
        if definition is None or definition.get("compose", {}).get("exclude"):
            return None
        codes: dict[str, dict[str, None]] = {}
        for include in definition.get("compose", {}).get("include", []):
            part = self._included(include)
            if part is None:
                return None
            for system, names in part.items():
                codes.setdefault(system, {}).update(dict.fromkeys(names))
        return {system: list(names) for system, names in codes.items()} or None

    def _included(self, include: JSON) -> Systems | None:
        if include.get("filter"):
            return None
        if "valueSet" in include:
            parts = [self.expand(url) for url in include["valueSet"]]
            return parts[0] if len(parts) == 1 and "system" not in include else None
        if "concept" in include:
            return {include["system"]: [each["code"] for each in include["concept"]]}
        system = self.find(include["system"], "CodeSystem")
        if system is None or system.get("content") != "complete":
            return None
        return {include["system"]: list(_codes(system.get("concept", [])))}


def _codes(concepts: list[JSON]) -> Iterator[str]:
    for concept in concepts:
        yield concept["code"]
        yield from _codes(concept.get("concept", []))


def tail(text: str, separator: str = "/") -> str:
    """What follows the last separator; a canonical URL's version left aside."""
    return text.partition("|")[0].rpartition(separator)[2]


def required_value_set(element: JSON) -> str | None:
    """The canonical URL of the value set that an element's code must come from: a required or maximum binding."""
    binding = element.get("binding", {})
    bounds = [each["valueCanonical"] for each in binding.get("extension", []) if each["url"].endswith("maxValueSet")]
    url = binding.get("valueSet") if binding.get("strength") == "required" else next(iter(bounds), None)
    return url.partition("|")[0] if url else None


def packages_below(folder: Path) -> Iterator[Package]:
    """Every package in a folder's `.tgz` files."""
    for path in sorted(folder.rglob("*.tgz")):
        with tarfile.open(path) as archive:
            files = {
                member.name: json.load(archive.extractfile(member))  # type: ignore[arg-type]
                for member in archive.getmembers()
                if member.name.endswith(".json") and member.name.count("/") == 1
            }
        about = files.pop("package/package.json")
        yield Package(about["name"], about["version"], files)
