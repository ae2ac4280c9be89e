"""Read a C-CDA that anybody may have written: no DTD, no entities, no network, bounds on size, depth and elements."""

from collections.abc import Iterable
from typing import Any
from xml.etree.ElementTree import Element, ParseError, TreeBuilder  # nosec B405  the parser is defusedxml's

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

V3 = "{urn:hl7-org:v3}"
ROOT = f"{V3}ClinicalDocument"
MAX_BYTES = 10 * 1024 * 1024  # a longer document is downloaded, not read here
MAX_HEADER = 1024 * 1024
MAX_DEPTH = 100
MAX_ELEMENTS = 200_000


class NotReadable(Exception):
    """The content is no C-CDA, or goes beyond the bounds."""


class _HeaderDone(Exception):
    """The body begins: the header is complete."""


class _Bounded(TreeBuilder):
    """Builds the tree, at most so deep and so large; with `header_only` it ends where the body begins."""

    def __init__(self, header_only: bool) -> None:
        super().__init__()
        self.header_only, self.depth, self.elements = header_only, 0, 0
        self.root: Any = None

    def start(self, tag: Any, attrs: Any, /) -> Any:
        if self.depth == 0 and tag != ROOT:
            raise NotReadable("It is not a ClinicalDocument.")
        if self.header_only and self.depth == 1 and tag == f"{V3}component":
            raise _HeaderDone
        self.depth, self.elements = self.depth + 1, self.elements + 1
        if self.depth > MAX_DEPTH or self.elements > MAX_ELEMENTS:
            raise NotReadable("It is nested too deeply, or has too many elements.")
        made = super().start(tag, attrs)
        self.root = made if self.root is None else self.root
        return made

    def end(self, tag: Any, /) -> Any:
        self.depth -= 1
        return super().end(tag)


def header_of(pieces: Iterable[bytes]) -> Element:
    """The document without its body; no more is read than that. Raises NotReadable."""
    return _read(pieces, MAX_HEADER, header_only=True)


def document_of(pieces: Iterable[bytes]) -> Element:
    """The whole document. Raises NotReadable."""
    return _read(pieces, MAX_BYTES, header_only=False)


def _read(pieces: Iterable[bytes], most: int, header_only: bool) -> Element:
    target = _Bounded(header_only)
    parser = DefusedXMLParser(target=target, forbid_dtd=True)
    left = most
    try:
        for piece in pieces:
            if len(piece) > left and not header_only:
                raise NotReadable("It is too long to be read here.")
            parser.feed(piece[:left])
            left -= len(piece)
            if left <= 0:
                raise NotReadable("It is too long to be read here.")
        parser.close()
    except _HeaderDone:
        pass
    except (ParseError, DefusedXmlException, LookupError, ValueError, AssertionError) as fault:
        raise NotReadable("It is not XML that this server reads.") from fault
    root: Element = target.root
    return root
