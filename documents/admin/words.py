"""What a document is called on the screens, and what is said of it in a line."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.conf import settings

from documents import holding
from documents.admin import labels
from documents.models import Content, DocumentReference, ScanState
from healthrecords.console.lines import Flag

_KINDS = {"superseded": "caution", "entered-in-error": "grave"}  # states that need a flag


def kind_of(document: DocumentReference) -> str:
    """The type in words: as sent, else ours for the code; nothing where none was sent."""
    codings = _kept(document).get("type", {}).get("coding") or [{}]
    shown = codings[0].get("display", "") if isinstance(codings[0], dict) else ""
    return document.type_text or shown or labels.TYPE.get(document.type_code, document.type_code)


def dated(document: DocumentReference) -> str:
    """The day of the document: when it was made, else when it was filed."""
    made = [each.creation for each in document.contents.all() if each.creation]
    return (made[0] if made else document.date)[:10]


def author_of(document: DocumentReference) -> str:
    """Who wrote it, by the names that came with it."""
    return ", ".join(names(document, "author"))


def names(document: DocumentReference, element: str) -> list[str]:
    """The names at a reference or a list of them, else the literal references."""
    found: Any = _kept(document).get(element, [])
    said = found if isinstance(found, list) else [found]
    return [each.get("display") or each.get("reference", "") for each in said if isinstance(each, dict)]


def identifiers_of(document: DocumentReference) -> list[Any]:
    """The numbers of this version, and of all of its versions."""
    return [*document.master_identifiers.all(), *document.identifiers.all()]


def _kept(document: DocumentReference) -> dict[str, Any]:
    """What FHIR sent and no column holds."""
    kept: Any = document.extra
    return kept or {}


def status_of(document: DocumentReference) -> str:
    return labels.STATUS.get(document.status, document.status)


def size_in_words(size: int | None) -> str:
    """Bytes as people say them."""
    if size is None:
        return ""
    if size < 1024:
        return f"{size} bytes"
    return f"{size / 1024:.0f} KB" if size < 1024**2 else f"{size / 1024**2:.1f} MB"


@dataclass(frozen=True)
class Filed:
    """A document in a list, with the content of it that lies here."""

    document: DocumentReference
    contents: list[Content]
    is_held: bool

    @property
    def size(self) -> str:
        """Of all its content together."""
        told = [each.size for each in self.document.contents.all() if each.size and not each.binary]
        sizes = [each.size for each in self.contents] + told
        return size_in_words(sum(sizes)) if sizes else ""

    @property
    def flags(self) -> list[Flag]:
        """What to know before opening it."""
        return self.standing + self.scan

    @property
    def standing(self) -> list[Flag]:
        """Whether it is held, and a status that needs a flag."""
        status = self.document.status
        held = [Flag("Legal hold", "calm")] if self.is_held else []
        return held + ([Flag(status_of(self.document), _KINDS[status])] if status in _KINDS else [])

    @property
    def scan(self) -> list[Flag]:
        """What keeps its content from being given out."""
        states = {each.scan_state for each in self.contents}
        if ScanState.REFUSED in states:
            return [Flag("Infected: not given out", "grave")]
        waits = settings.CLAMAV and states - {ScanState.CLEAN}
        return [Flag("Waits for the virus scanner")] if waits else []


def filed(documents: Iterable[DocumentReference]) -> list[Filed]:
    """The documents with their content and whether they are held, in two queries for all."""
    known = list(documents)
    wanted = {key for each in known for key in keys_of(each)}
    rows = Content.objects.in_bulk(list(wanted))
    held = {entry.document for entry in holding.holds([each.logical_id for each in known])}
    return [Filed(each, [rows[key] for key in keys_of(each) if key in rows], each.logical_id in held) for each in known]


def keys_of(document: DocumentReference) -> list[UUID]:
    """The keys of the content that a document points to."""
    found = []
    for each in document.contents.all():
        try:
            found.append(UUID(each.binary))
        except ValueError:
            continue
    return found


def title_of(document: DocumentReference) -> str:
    """What the document is called: its own title, else its content's, else its type."""
    titles = [document.description, *(each.title for each in document.contents.all())]
    return next(filter(None, titles), "") or kind_of(document) or "Document"
