"""Which profiles a resource must meet: US Core 3.1.1, 6.1.0 and 8.0.0, R4's vital signs, the definitions of extensions.

A canonical URL without a version (as nearly all data have it) is met when one of the shipped versions is; if none is,
the newest one's faults are told. The same holds for an extension that several versions define.
"""

from functools import cache
from typing import Any

from . import table
from .conformance import Fault, Profile, check
from .rules import Scope
from .rules.registry import listed, within

JSON = dict[str, Any]

US_CORE = ("8.0.0", "6.1.0", "3.1.1")  # the newest first
R4 = "4.0.1"
_LOINC = "http://loinc.org"
# R4 §10.1.5: an Observation with one of these LOINC codes meets the vital signs profile of that name.
_VITAL_SIGNS = {
    "85353-1": "vitalspanel", "9279-1": "resprate", "8867-4": "heartrate", "2708-6": "oxygensat",
    "59408-5": "vitalsigns", "8310-5": "bodytemp", "8302-2": "bodyheight", "9843-4": "headcircum",
    "29463-7": "bodyweight", "39156-5": "bmi", "85354-9": "bp",
}  # fmt: skip


@cache
def _source(name: str, version: str) -> dict[str, Profile]:
    """The profiles of one compiled table by canonical URL; their trees are built when they are first used."""
    content = table.read(table.DATA / f"{name}.json.gz")
    return {url: Profile(url, version, row, content) for url, row in content["profiles"].items()}


@cache
def named(canonical: str) -> tuple[Profile, ...]:
    """The shipped profiles that a canonical URL names, the newest first; one when it says the version (`url|8.0.0`)."""
    url, _, version = canonical.partition("|")
    sources = [(f"us-core-{each}", each) for each in US_CORE] + [("vital-signs", R4), ("extensions", R4)]
    found = [_source(name, each).get(url) for name, each in sources if version in ("", each)]
    return tuple(each for each in found if each)


def demanded(body: JSON) -> list[str]:
    """The profiles that R4 itself wants a resource to meet: those of vital signs."""
    if body.get("resourceType") != "Observation":
        return []
    codes = [each.get("code") for each in listed(within(body, "code"), "coding") if each.get("system") == _LOINC]
    names = [_VITAL_SIGNS[each] for each in codes if isinstance(each, str) and each in _VITAL_SIGNS]
    return [f"http://hl7.org/fhir/StructureDefinition/{name}|{R4}" for name in names]


def faults(body: JSON, canonical: str, path: str, scope: Scope) -> list[Fault] | None:
    """How a resource, or an extension, fails a profile; None when no profile of that name ships."""
    candidates = named(canonical)
    if not candidates:
        return None
    first: list[Fault] = []
    for profile in candidates:
        found = _faults_of(profile, body, path, scope)
        if not found:
            return []
        first = first or found
    return first


def _faults_of(profile: Profile, body: JSON, path: str, scope: Scope) -> list[Fault]:
    kind = body.get("resourceType", "Extension")
    if kind != profile.kind:
        return [("structure", f"{profile.title} is a profile of {profile.kind}, not of {str(kind)[:60]}.", path)]
    return check(profile, body, path, scope)
