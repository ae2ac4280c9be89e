"""Scan what is stored: what waits for the scanner, or all of it again, since signatures change."""

from collections.abc import Callable
from dataclasses import dataclass, field

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from documents import contents, storage
from documents.ccda import late
from documents.models import Content, ScanState
from documents.scanning import clamd, record

_WAITING = (ScanState.UNSCANNED, ScanState.QUARANTINED)


@dataclass
class Scanned:
    """What a run did. Lists are of ids; `infected` and `released` hold what turned out so now.

    `scanner` is what is wrong with it, or empty; `waiting` counts what is without a verdict after the run.
    """

    clean: int = 0
    infected: list[str] = field(default_factory=list)
    released: list[str] = field(default_factory=list)
    unanswered: dict[str, str] = field(default_factory=dict)
    scanner: str = ""
    waiting: int = 0
    refused: int = 0

    @property
    def good(self) -> bool:
        """Whether the scanner answered, nothing is left waiting, and nothing new was found."""
        return not (self.scanner or self.waiting or self.infected or self.unanswered)


def due(everything: bool) -> QuerySet[Content]:
    """The contents that a run looks at."""
    rows = Content.objects.order_by("pk")
    return rows if everything else rows.filter(scan_state__in=_WAITING)


def scan(everything: bool = False, advance: Callable[[float], None] = lambda _: None) -> Scanned:
    """Scan what waits (or everything) and keep what came out; the run ends early when the scanner is not reached.

    Raises StoreFault when the store does not answer.
    """
    done = Scanned()
    try:
        clamd.reach(settings.CLAMAV)
        for content in due(everything).iterator(200):
            _look_at(content, done)
            advance(1)
    except clamd.Unreachable as fault:
        done.scanner = str(fault)
    done.waiting = due(False).count()
    done.refused = Content.objects.filter(scan_state=ScanState.REFUSED).count()
    return done


def _look_at(content: Content, done: Scanned) -> None:
    try:
        verdict = clamd.scan(settings.CLAMAV, contents.unguarded(content))
    except clamd.Unreachable:
        raise
    except clamd.ScannerFault as fault:
        done.unanswered[str(content)] = str(fault)
    except (storage.Missing, contents.Different) as fault:
        done.unanswered[str(content)] = fault.text
    else:
        _keep(content, verdict, done)


def _keep(content: Content, verdict: clamd.Verdict, done: Scanned) -> None:
    before, after = content.scan_state, ScanState.REFUSED if verdict.threat else ScanState.CLEAN
    if before == ScanState.REFUSED and after == ScanState.CLEAN:
        record.turned(content, "clean", content.threat)  # first: without its row nothing leaves
        done.released.append(str(content))
    with transaction.atomic():
        rows = Content.objects.filter(pk=content.pk, scan_state=before)
        changed = rows.update(scan_state=after, threat=verdict.threat, scanned_at=timezone.now())
        if changed and after == ScanState.CLEAN != before:
            late.fill_documents(content)
    if changed and after == ScanState.REFUSED != before:
        record.turned(content, "infected", verdict.threat)
        done.infected.append(str(content))
    done.clean += after == ScanState.CLEAN
