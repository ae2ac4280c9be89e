"""Code systems that an app keeps: a code that its tables do not know is accepted with a warning.

The kernel has no tables of vaccines; the app that has them says so when it starts:

    register("http://hl7.org/fhir/sid/cvx", knows_cvx)
"""

from collections.abc import Callable
from typing import Any

JSON = dict[str, Any]

CVX = "http://hl7.org/fhir/sid/cvx"
_KNOWN: dict[str, Callable[[str], bool]] = {}


def register(system: str, knows: Callable[[str], bool]) -> None:
    """Ask `knows` about each code of a system from now on; it must be quick, and true for what is doubtful."""
    _KNOWN[system] = knows


def forget(system: str) -> None:
    """Ask no longer about a system."""
    _KNOWN.pop(system, None)


def unknown(coding: JSON) -> str | None:
    """Say that a Coding's code is not known in its system, or None."""
    system, code = coding.get("system"), coding.get("code")
    knows = _KNOWN.get(system) if isinstance(system, str) else None
    if knows is None or not isinstance(code, str) or knows(code):
        return None
    return f"The code '{code[:60]}' of {system} is not known here; it is kept as it is."
