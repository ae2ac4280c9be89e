"""What an import says about a fault: where it is and of what kind, never a value from the resource."""

import re
from dataclasses import dataclass

from healthrecords.fhir.outcome import Issue

from .reading import Place

_QUOTED = re.compile(r"'[^']*'")


@dataclass(frozen=True)
class Failure:
    """Why a resource was not imported."""

    place: Place
    resource_type: str
    path: str
    reason: str

    def as_row(self) -> dict[str, str | int | None]:
        at = self.place
        return {
            "file": at.file,
            "line": at.line or None,
            "entry": at.entry,
            "type": self.resource_type,
            "path": self.path,
            "reason": self.reason,
        }


def sentence(issue: Issue) -> str:
    """Return what is wrong without the value that is: names the fault's kind and blanks what is quoted."""
    return f"{issue.code}: {_QUOTED.sub('…', issue.text)}"
