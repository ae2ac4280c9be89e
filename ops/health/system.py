"""`health system`: everything that can be asked of the server, in one report for people (HTML) and machines (JSON)."""

import platform
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson
from django.conf import settings
from django.core.management.base import CommandError
from django.template.loader import render_to_string
from django.utils import timezone

from healthrecords.access.request import AccessRequest
from healthrecords.cli import counted
from healthrecords.embedded.home import write_private
from healthrecords.settings.environment import DATA_DIR

from . import connecting, looking, registry, smoke
from .registry import GROUPS, Done, Told


@dataclass(frozen=True)
class Report:
    """All that was asked at `time` (UTC), by title in the order of asking."""

    time: datetime
    sections: tuple[tuple[str, list[Told]], ...]

    @property
    def told(self) -> list[Told]:
        """All answers in one list."""
        return [each for _, answers in self.sections for each in answers]

    @property
    def wrong(self) -> list[Told]:
        """The answers that are problems."""
        return [each for each in self.told if each.state == "problem"]

    @property
    def summary(self) -> str:
        """What is wrong, in a sentence."""
        if not self.wrong:
            return f"Nothing is wrong: {counted(len(self.told), 'check')}."
        return f"{counted(len(self.wrong), 'problem')} in {counted(len(self.told), 'check')}."

    def as_data(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "time": self.time,
            "organization": settings.ORGANIZATION_NAME,
            "server": settings.PUBLIC_URL,
            "host": platform.node(),
            "outcome": "problem" if self.wrong else "good",
            "summary": self.summary,
            "sections": {title: [each.as_row() for each in answers] for title, answers in self.sections},
        }


def examine(request: AccessRequest, say: Callable[[str], None], done: Done = lambda _: None) -> Report:
    """Ask everything, one section after the other; `say` is told which."""
    begun, sections = timezone.now(), []
    for title, ask in _sections(request, done):
        say(title)
        sections.append((title, ask()))
    return Report(begun, tuple(sections))


def _sections(request: AccessRequest, done: Done) -> Iterator[tuple[str, Callable[[], list[Told]]]]:
    yield "The way to the database", lambda: list(connecting.steps())
    yield "All parts", lambda: looking.with_age(registry.run(registry.of(*GROUPS), done=done))
    yield "Integrity", lambda: registry.run(registry.of("integrity"), in_turn=True, done=done)
    yield "Journey", lambda: _journey(request)


def _journey(request: AccessRequest) -> list[Told]:
    """The smoke test; what keeps it from running is an answer, too."""
    try:
        return list(smoke.journey(request))
    except CommandError as fault:
        return [Told("smoke", "smoke", "not asked", str(fault))]
    except Exception as fault:  # whatever keeps it from running stands above
        text = f"It could not run ({type(fault).__name__})."
        return [Told("smoke", "smoke", "problem", text, "Mend what stands above first.")]


def write(report: Report, stem: Path) -> list[Path]:
    """Write the report as STEM.html and STEM.json, for their owner alone; raise CommandError where that fails."""
    data = report.as_data()
    page = render_to_string("ops/health_report.html", {"report": data, "wrong": report.wrong})
    files = {stem.with_suffix(".html"): page, stem.with_suffix(".json"): orjson.dumps(data, option=_LAYOUT).decode()}
    try:
        for path, text in files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            write_private(path, text)
    except OSError as fault:
        raise CommandError(f"The report cannot be written to {stem.parent} ({fault.strerror}); name another.") from None
    return list(files)


_LAYOUT = orjson.OPT_INDENT_2 | orjson.OPT_UTC_Z


def place(now: datetime) -> Path:
    """Where a report goes that is named nowhere: the data directory, or the temporary one where there is none."""
    folder = DATA_DIR / "reports" if DATA_DIR.is_dir() else Path(tempfile.gettempdir())
    return folder / f"health-{now:%Y%m%d-%H%M%S}"
