"""The XHTML of a narrative (R4 §2.4): well-formed, of the permitted elements and attributes, and not empty."""

from collections.abc import Iterator
from typing import Any
from xml.parsers import expat

_XHTML = "http://www.w3.org/1999/xhtml"
_COMMON = frozenset(
    "title style class id lang xml:lang dir accesskey tabindex span width align valign char charoff abbr axis headers"
    " scope rowspan colspan xmlns".split()
)
_ELEMENTS = frozenset(
    "p br div h1 h2 h3 h4 h5 h6 a span b em i strong small big tt dfn q var abbr acronym cite blockquote hr address bdo"
    " kbd sub sup ul ol li dl dt dd pre table caption colgroup col thead tr tfoot tbody th td code samp img map"
    " area".split()
)
_OWN = {
    "a": "href name charset type rel rev shape coords target",
    "img": "src border alt height width ismap usemap longdesc hspace vspace",
    "blockquote": "cite", "q": "cite", "map": "name", "area": "shape coords href nohref alt",
    "table": "summary border frame rules cellspacing cellpadding bgcolor", "tr": "bgcolor", "td": "nowrap bgcolor",
    "th": "nowrap bgcolor", "pre": "xml:space space", "ol": "type start compact", "ul": "type compact",
    "li": "type value", "hr": "noshade size", "br": "clear",
}  # fmt: skip
_ATTRIBUTES = {name: _COMMON | frozenset(_OWN.get(name, "").split()) for name in _ELEMENTS}
_ACTIVE = ("javascript:", "vbscript:")


class Malformed(ValueError):
    """A narrative that is no XHTML; the message says why."""


class _Reader:
    """Collects what a narrative breaks: the first forbidden name, and whether anything can be read."""

    def __init__(self) -> None:
        self.forbidden = ""
        self.says_something = False
        self.root: tuple[str, str] | None = None

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if self.root is None:
            self.root = (name, attributes.get("xmlns", ""))
        plain = name.rpartition(":")[2]
        if plain not in _ELEMENTS:
            self.forbidden = self.forbidden or f"the element <{plain[:40]}>"
            return
        self.says_something = self.says_something or plain == "img"
        for attribute, value in attributes.items():
            if not _permits(plain, attribute, value):
                self.forbidden = self.forbidden or f"the attribute {attribute[:40]} of <{plain}>"

    def text(self, data: str) -> None:
        self.says_something = self.says_something or not data.isspace()


def _permits(element: str, attribute: str, value: str) -> bool:
    if attribute in ("href", "src") and value.strip().lower().startswith(_ACTIVE):
        return False
    return attribute in _ATTRIBUTES[element] or attribute.startswith("xmlns:")


def _read(div: str) -> _Reader:
    reader, parser = _Reader(), expat.ParserCreate()
    parser.StartElementHandler = reader.start
    parser.CharacterDataHandler = reader.text
    parser.StartDoctypeDeclHandler = _refuse_doctype
    try:
        parser.Parse(div, True)
    except (expat.ExpatError, UnicodeError) as fault:
        raise Malformed(f"The narrative is not well-formed XHTML: {fault}.") from None
    if reader.root != ("div", _XHTML):
        raise Malformed(f'The narrative must be one <div xmlns="{_XHTML}">.')
    return reader


def _refuse_doctype(*_: Any) -> None:
    raise Malformed("The narrative must not have a document type declaration.")


def faults(div: str) -> Iterator[str]:
    """What is wrong with a narrative's text, a sentence each: its XML, then the invariants txt-1 and txt-2."""
    try:
        read = _read(div)
    except Malformed as fault:
        yield str(fault)
        return
    if read.forbidden:
        yield f"txt-1: A narrative may not have {read.forbidden}."
    if not read.says_something:
        yield "txt-2: A narrative must have some text or an image."
