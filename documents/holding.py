"""Legal holds and retention: content that is held, or that is not old enough, stays, also when its document is deleted.

Nothing in this application removes the content of a document. Where the store's bucket has object lock, holds and
retentions are told to it, too, so that nobody else removes an object by mistake.
"""

import logging
from calendar import isleap
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import MAXYEAR, UTC, date, datetime, time, timedelta
from functools import partial

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from healthrecords import trail
from healthrecords.access.request import AccessRequest

from . import storage
from .models import Content, DocumentReference, HoldEntry, RetentionExtension

log = logging.getLogger(__name__)

LONGEST = timedelta(days=36525)


@dataclass(frozen=True)
class Kept:
    """Why the content of a document stays: the hold on it, if any, and the time until which it is retained."""

    hold: HoldEntry | None
    until: datetime

    @property
    def may_go(self) -> bool:
        """Whether neither keeps the content any more."""
        return self.hold is None and self.until <= timezone.now()


def place_hold(document: DocumentReference, reason: str, by: AccessRequest) -> HoldEntry:
    """Put a legal hold on a document, in the store too; raise ValidationError where it is held already, StoreFault."""
    return _decide(document, True, reason, by)


def release_hold(document: DocumentReference, reason: str, by: AccessRequest) -> HoldEntry:
    """End the legal hold on a document; raise ValidationError where there is none, StoreFault.

    In the store an object stays held as long as another document that is held points to it.
    """
    return _decide(document, False, reason, by)


def hold_on(document: DocumentReference) -> HoldEntry | None:
    """The hold that is on a document now."""
    return next(iter(holds([document.logical_id])), None)


def holds(documents: Collection[str] | None = None) -> list[HoldEntry]:
    """The holds in force, oldest first; of the documents with those logical ids, or of all."""
    entries = HoldEntry.objects.all() if documents is None else HoldEntry.objects.filter(document__in=documents)
    last = entries.order_by("document", "-number").distinct("document")
    return sorted((entry for entry in last if entry.held), key=lambda entry: entry.number)


def kept(document: DocumentReference) -> Kept:
    """What keeps the content of a document."""
    extended = RetentionExtension.objects.filter(document=document.logical_id).order_by("until").last()
    begin = max(document.date_until or document.created_at, document.created_at)
    until = _years_later(begin, settings.DOCUMENT_RETENTION_YEARS)
    return Kept(hold_on(document), max(until, extended.until) if extended else until)


def retain_until(document: DocumentReference, day: date, reason: str, by: AccessRequest) -> RetentionExtension:
    """Retain the content of a document until the beginning (UTC) of a day.

    Raises ValidationError for a day that is not later than that of the present retention, or beyond all reason: it
    could never be taken back.
    """
    until = datetime.combine(day, time(), UTC)
    with transaction.atomic():
        _lock(document)
        present = kept(document).until
        if until <= present:
            raise ValidationError(f"A retention only gets longer; name a day after {present:%Y-%m-%d}.")
        if until > timezone.now() + LONGEST:
            raise ValidationError("Name a day within the next 100 years; a retention cannot be taken back.")
        made = RetentionExtension.objects.create(
            document=document.logical_id, until=until, reason=_stated(reason), **_author(by)
        )
        _record(by, document, f"retained until {day}")
        if storage.locks():
            for content in contents_of(document):
                _in_store(content, partial(storage.retain, until=until))
    return made


def keep_new(pairs: Collection[tuple[DocumentReference, Content]]) -> None:
    """Have the store keep content that documents have come to point to, as each of them is kept; raise StoreFault."""
    if not pairs or not storage.locks():
        return
    for document, content in pairs:
        keeps = kept(document)
        _in_store(content, partial(storage.retain, until=keeps.until))
        if keeps.hold:
            _in_store(content, partial(storage.hold, held=True))


def contents_of(document: DocumentReference) -> Iterator[Content]:
    """The stored contents that a document points or once pointed to."""
    return Content.objects.filter(uses__document=document.logical_id).iterator(200)


def _decide(document: DocumentReference, held: bool, reason: str, by: AccessRequest) -> HoldEntry:
    with transaction.atomic():
        _lock(document)
        if bool(hold_on(document)) == held:
            raise ValidationError("The document is held already." if held else "The document is not held.")
        entry = HoldEntry.objects.create(document=document.logical_id, held=held, reason=_stated(reason), **_author(by))
        _record(by, document, "legal hold placed" if held else "legal hold released")
        _tell_store(document, held)
    return entry


def _tell_store(document: DocumentReference, held: bool) -> None:
    if not storage.locks():
        return
    others = {entry.document for entry in holds()} - {document.logical_id}
    for content in contents_of(document):
        if held or not content.uses.filter(document__in=others).exists():
            _in_store(content, partial(storage.hold, held=held))


def _in_store(content: Content, tell: Callable[[str], None]) -> None:
    try:
        tell(content.object_name)
    except storage.Missing:
        log.error("%s is missing in the store, so that nothing can be locked there", content)


def _lock(document: DocumentReference) -> None:
    DocumentReference.objects.select_for_update().only("pk").get(pk=document.pk)


def _stated(reason: str) -> str:
    if not reason.strip():
        raise ValidationError("State the reason.")
    return reason.strip()


def _author(by: AccessRequest) -> dict[str, str]:
    return {"author_kind": by.actor.kind, "author_id": by.actor.id, "author": by.actor.name}


def _record(by: AccessRequest, document: DocumentReference, detail: str) -> None:
    """The reason stays out of the trail, which holds no clinical words."""
    resource = f"DocumentReference/{document.logical_id}"
    fact = trail.Fact(
        "update", patient=document.patient_id, resources=(resource,), versions=(document.version,), detail=detail
    )
    trail.record(by.to("update", "DocumentReference"), [fact])


def _years_later(moment: datetime, years: int) -> datetime:
    year = min(moment.year + years, MAXYEAR)
    leap_day = (moment.month, moment.day) == (2, 29) and not isleap(year)
    return moment.replace(year=year, month=3, day=1) if leap_day else moment.replace(year=year)
