"""What a verification finds: which check, in words, about which events or statements."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

NAMED = 20  # events that one finding names


@dataclass(frozen=True)
class Finding:
    """One fault. `sealed` is the time at which what is no longer so was sealed: the change came after it."""

    check: str
    text: str
    statement: int | None = None
    events: tuple[str, ...] = ()
    sealed: str = ""

    def as_row(self) -> dict[str, Any]:
        """For a table or JSON."""
        return asdict(self)


@dataclass
class Report:
    """How much was verified, what was found, and what is no fault but should be known."""

    events: int = 0
    statements: int = 0
    compared: dict[str, int] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def found(self, check: str, text: str, events: Iterable[str] = (), **where: Any) -> None:
        """Add a finding."""
        self.findings.append(Finding(check, text, events=tuple(events)[:NAMED], **where))
