"""What of a content may be seen in the page. Its own bytes decide, never the sender's word.

PDF and pictures go to the browser under a policy of their own (documents.admin.giving); text and C-CDA are shown as
text of ours. Whatever else it is, HTML and SVG before all, is only downloaded: none of it may run beside the records.
"""

from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from documents import contents
from documents.admin import labels
from documents.admin.words import size_in_words
from documents.ccda import filling, header, narrative
from documents.ccda.reading import MAX_BYTES, NotReadable, document_of
from documents.models import Content
from documents.scanning.gate import refuse_unless_clean
from healthrecords.fhir.outcome import FHIRError

PICTURES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp", "image/bmp"})
IN_FRAME = frozenset({"application/pdf"})
AS_TEXT = frozenset({"text/plain", "application/json", "x-application/hl7-v2+er7"}) | filling.XML
MOST_TEXT = 200_000  # bytes of a text that are shown


@dataclass(frozen=True)
class Preview:
    """How a content shows: `way` is frame, picture, text, ccda or none; `fault` says why it does not."""

    content: Content
    way: str = "none"
    text: str = ""
    is_cut: bool = False
    fault: str = ""
    ccda: dict[str, Any] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        kind = "application/hl7-cda+xml" if self.way == "ccda" else self.content.true_type
        return labels.KIND.get(kind, kind)

    @property
    def size(self) -> str:
        return size_in_words(self.content.size)


def preview_of(content: Content) -> Preview:
    """The preview of a content that the person may see; content that is not given out tells why."""
    kind = content.true_type
    try:
        refuse_unless_clean(content)
        if kind in PICTURES | IN_FRAME:
            return Preview(content, "picture" if kind in PICTURES else "frame")
        if kind in filling.XML and content.size <= MAX_BYTES:
            return _document(content)
        return _text(content) if kind in AS_TEXT else Preview(content)
    except FHIRError as fault:
        return Preview(content, fault=fault.text)


def _document(content: Content) -> Preview:
    try:
        root = document_of(contents.whole(content))
    except NotReadable:
        return _text(content)
    shown = {
        "subject": header.subject_of(root),
        "said": header.elements_of(root),
        "attachment": header.attachment_of(root),
        "sections": narrative.sections_of(root),
        "text": narrative.unstructured_text(root),
        "type": narrative.unstructured_type(root),
    }
    return Preview(content, "ccda", ccda=shown)


def _text(content: Content) -> Preview:
    """The beginning of a text; characters that are none show as such."""
    if content.size <= MOST_TEXT:
        data = b"".join(contents.whole(content))
    else:
        data = b"".join(contents.part(content, 0, MOST_TEXT))
    return Preview(content, "text", data.decode(errors="replace"), content.size > MOST_TEXT)


def opened(content: Content) -> Any:
    """All of a content as pieces, the first of them read: raises FHIRError for what is not given out."""
    pieces = contents.whole(content)
    return chain([next(pieces)], pieces)
