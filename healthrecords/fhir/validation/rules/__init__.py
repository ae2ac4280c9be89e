"""Invariants of severity error as plain Python, by the key that HL7 gave them."""

from . import clinical, datatypes, presence, served, us_core
from .registry import Rule, Scope, rule_named, written

# Invariants that are no function here because other code keeps them.
KEPT_ELSEWHERE = {"ele-1": "walker", "ref-1": "references", "txt-1": "narrative", "txt-2": "narrative"}

__all__ = [
    "KEPT_ELSEWHERE",
    "Rule",
    "Scope",
    "clinical",
    "datatypes",
    "presence",
    "rule_named",
    "served",
    "us_core",
    "written",
]
