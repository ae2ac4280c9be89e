"""The narrative of a C-CDA as HTML of our own: an allow-list of elements, no attribute of the document's.

Text passes Django's escaping and tags are those of the table below, so that nothing of the document can be markup.
"""

import base64
import binascii
from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.etree.ElementTree import Element  # nosec B405  a type; defusedxml parses

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from .reading import V3
from .values import NS, text

# CDA's narrative elements (NarrativeBlock.xsd) and ours; any other shows its text alone.
_TAGS = {
    "paragraph": "p", "item": "li", "table": "table", "thead": "thead", "tbody": "tbody", "tfoot": "tfoot", "tr": "tr",
    "th": "th", "td": "td", "sub": "sub", "sup": "sup", "content": "span", "list": "ul", "footnote": "small",
}  # fmt: skip
_UNSHOWN = frozenset({"footnoteRef", "col", "colgroup"})
_STYLES = {"bold": "strong", "italics": "em", "emphasis": "em", "underline": "u"}
_HOLDERS = frozenset({"table", "thead", "tbody", "tfoot", "tr", "ul", "ol"})  # hold elements, no text


@dataclass(frozen=True)
class Section:
    """A section of the body: its title, its narrative as HTML, the sections within."""

    anchor: str
    title: str
    html: SafeString
    sections: list["Section"] = field(default_factory=list)


def sections_of(root: Element) -> list[Section]:
    """The sections of the structured body, in their order."""
    return list(_sections(root.findall("v3:component/v3:structuredBody/v3:component/v3:section", NS), "part"))


def unstructured_text(root: Element) -> str:
    """The plain text that stands in place of a structured body; nothing where it is of another type."""
    body = root.find("v3:component/v3:nonXMLBody/v3:text", NS)
    if body is None or body.get("mediaType", "text/plain") != "text/plain":
        return ""
    said = "".join(body.itertext())
    if body.get("representation") != "B64":
        return said.strip()
    try:
        return base64.b64decode(said).decode(errors="replace")
    except binascii.Error:
        return ""


def unstructured_type(root: Element) -> str:
    """The media type of what stands in place of a structured body, if anything does."""
    body = root.find("v3:component/v3:nonXMLBody/v3:text", NS)
    return body.get("mediaType", "text/plain")[:100] if body is not None else ""


def _sections(elements: list[Element], prefix: str) -> Iterator[Section]:
    for number, each in enumerate(elements, 1):
        anchor = f"{prefix}-{number}"
        title = text(each.find("v3:title", NS)) or text_of_code(each) or "Section"
        inner = list(_sections(each.findall("v3:component/v3:section", NS), anchor))
        yield Section(anchor, title, _narrative(each.find("v3:text", NS)), inner)


def text_of_code(section: Element) -> str:
    """What the code of a section says, where it has no title."""
    code = section.find("v3:code", NS)
    return code.get("displayName", "") if code is not None else ""


def _narrative(element: Element | None) -> SafeString:
    return _inside(element) if element is not None else SafeString("")


def _inside(element: Element, keep_text: bool = True) -> SafeString:
    pieces = [element.text or ""] if keep_text else []
    for child in element:
        pieces.append(_html(child))
        if keep_text:
            pieces.append(child.tail or "")
    return format_html_join("", "{}", ((piece,) for piece in pieces))


def _html(element: Element) -> SafeString:
    name = str(element.tag).removeprefix(V3)
    if name in _UNSHOWN:
        return SafeString("")
    if name == "br":
        return SafeString("<br>")
    if name == "renderMultiMedia":
        return format_html('<span class="note">(a picture, in the document itself)</span>')
    if name == "caption":
        return format_html("<strong>{}</strong> ", _inside(element))
    return _wrapped(_tag(name, element), element)


def _tag(name: str, element: Element) -> str:
    if name == "list" and element.get("listType") == "ordered":
        return "ol"
    styles = element.get("styleCode", "").casefold().split() if name == "content" else []
    return next((_STYLES[each] for each in styles if each in _STYLES), _TAGS.get(name, ""))


def _wrapped(tag: str, element: Element) -> SafeString:
    inner = _inside(element, keep_text=tag not in _HOLDERS)
    if tag == "table":
        return format_html('<div class="grid-scroll" tabindex="0" role="group"><table>{}</table></div>', inner)
    if tag in ("td", "th"):
        return _cell(tag, element, inner)
    return format_html("<{}>{}</{}>", tag, inner, tag) if tag else inner


def _cell(tag: str, element: Element, inner: SafeString) -> SafeString:
    """A cell, which may be several columns or rows wide: the one thing taken from attributes, as a number."""
    spans = [(name, _count(element.get(name, ""))) for name in ("colspan", "rowspan")]
    said = format_html_join("", ' {}="{}"', ((name, count) for name, count in spans if count > 1))
    return format_html("<{}{}>{}</{}>", tag, said, inner, tag)


def _count(value: str) -> int:
    return int(value) if value.isascii() and value.isdigit() and len(value) < 3 else 1
