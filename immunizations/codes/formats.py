"""Read the files of CDC's code sets; which one it is shows in the content, not in the name of the file."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from xml.etree import ElementTree  # nosec B405  expat bounds entities and fetches nothing

from immunizations.codes.models import CodeTable

Row = dict[str, str]


class UnreadableFile(Exception):
    """A file that is none of CDC's, or a damaged one; the text is one sentence."""


@dataclass(frozen=True)
class Layout:
    """How a file's columns are called here, which of them name a row, and which are dates."""

    table: CodeTable
    columns: dict[str, str]
    key: tuple[str, ...]
    dates: tuple[str, ...] = ()
    needed: tuple[str, ...] = ()


@dataclass(frozen=True)
class Listing:
    """The rows of one file by their keys; a row that is given twice counts once, the later one."""

    table: CodeTable
    source: str
    rows: dict[str, Row]
    newest_change: date | None


# By the root element of an XML file. Headings of name-and-value pairs and of plain elements alike.
_XML = {
    "CVXCodes": Layout(
        CodeTable.CVX,
        {
            "CVXCode": "cvx",
            "ShortDescription": "short",
            "FullVaccinename": "full",
            "Status": "status",
            "Notes": "notes",
            "LastUpdated": "updated",
        },
        ("cvx",),
        ("updated",),
        ("short", "status"),
    ),
    "MVXCodes": Layout(
        CodeTable.MVX,
        {
            "MVX_CODE": "mvx",
            "Manufacturer Name": "name",
            "Notes": "notes",
            "Status": "status",
            "Last Updated": "updated",
        },
        ("mvx",),
        ("updated",),
        ("name", "status"),
    ),
    "productnames": Layout(
        CodeTable.TRADE_NAME,
        {
            "CDC Product Name": "name",
            "CVXCode": "cvx",
            "MVX Code": "mvx",
            "Short Description": "short",
            "Manufacturer": "manufacturer",
            "MVX Status": "mvx_status",
            "Product name Status": "status",
            "Last Updated": "updated",
        },
        ("name", "cvx", "mvx"),
        ("updated",),
        ("name", "cvx"),
    ),
    "VGCodes": Layout(
        CodeTable.GROUP,
        {
            "CVXCode": "cvx",
            "Vaccine Group Name": "group",
            "CVX for Vaccine Group": "group_cvx",
            "ShortDescription": "short",
            "Status": "status",
        },
        ("cvx", "group"),
        needed=("cvx", "group", "group_cvx"),
    ),
    "VISLookup": Layout(
        CodeTable.VIS,
        {
            "VIS_encoded_string": "encoded",
            "VIS_GDTI_document_code": "document",
            "VIS_Document_Type_Description": "name",
            "Edition_Date": "edition",
            "status": "status",
            "Lastupdated": "updated",
        },
        ("encoded",),
        ("edition", "updated"),
        ("document", "name", "edition"),
    ),
    "CVXVIS": Layout(
        CodeTable.VIS_OF_VACCINE,
        {
            "CVXCode": "cvx",
            "Fully-encodedString": "encoded",
            "VISDocumentName": "name",
            "VISEditionDate": "edition",
            "Status": "status",
        },
        ("cvx", "encoded"),
        ("edition",),
        ("cvx", "encoded"),
    ),
    "VISURL": Layout(
        CodeTable.VIS_ADDRESS,
        {
            "VIS_GDTI_document_Conceptcode": "document",
            "VIS_Document_Type_Description_ConceptName": "name",
            "VIS_PDF_URL": "pdf",
            "VIS_HTML_URL": "html",
        },
        ("document",),
    ),
}


def _lines(table: CodeTable, columns: str, key: str, dates: str = "", needed: str = "") -> Layout:
    return Layout(table, {name: name for name in columns.split()}, *(tuple(w.split()) for w in (key, dates, needed)))


# By the number of columns of a text file, which has no headings. The last column of the units of use repeats the GTIN.
_TEXT = {
    17: _lines(
        CodeTable.UNIT_OF_USE,
        "unit labeler product package name generic labeler_name start end form gtin "
        "cvx cvx_short no_own_ndc ndc updated _",
        "unit ndc cvx",
        "start end updated",
        "unit ndc cvx name",
    ),
    16: _lines(
        CodeTable.UNIT_OF_SALE,
        "unit labeler product package name generic labeler_name start end form route updated cvx cvx_short ndc gtin",
        "unit ndc cvx",
        "start end updated",
        "unit ndc cvx name",
    ),
    4: _lines(CodeTable.UNIT_LINK, "link sale use mvx", "link", needed="link sale use"),
}
_DATE_FORMS = ("%m/%d/%Y", "%Y%m%d", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d", "%m/%d/%Y %I:%M:%S %p")


def read(content: bytes, source: str) -> Listing:
    """Return the rows of a CDC file. Raise UnreadableFile with one sentence where it is none or a damaged one."""
    text = _decoded(content)
    if text.lstrip().startswith("<"):
        layout, found = _from_xml(content, text, source)
    else:
        layout, found = _from_text(text, source)
    rows = [_cleaned(row, layout, source, number) for number, row in enumerate(found, 1)]
    if not rows:
        raise UnreadableFile(f"{source} holds no rows.")
    changes = [row["updated"] for row in rows if row.get("updated")]
    newest = date.fromisoformat(max(changes)) if changes else None
    return Listing(layout.table, source, {_key(row, layout): row for row in rows}, newest)


def _decoded(content: bytes) -> str:
    """CDC's files are ASCII but for a few characters of Windows."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")


def _from_xml(content: bytes, text: str, source: str) -> tuple[Layout, Iterator[Row]]:
    if "<!DOCTYPE" in text or "<!ENTITY" in text:  # what would let a small file grow without end
        raise UnreadableFile(f"{source} declares a document type, which no file of CDC's does.")
    try:
        root = ElementTree.fromstring(content)  # noqa: S314 - no entities, see above  # nosec B314
    except ElementTree.ParseError as fault:
        raise UnreadableFile(f"{source} is damaged XML ({fault}); fetch it again.") from None
    if root.tag not in _XML:
        raise UnreadableFile(f"{source} is no code table of CDC that is known here (its root element is {root.tag}).")
    return _XML[root.tag], (_element_row(element) for element in root)


def _element_row(element: ElementTree.Element) -> Row:
    """Plain elements by their names, links by where they lead, or CDC's runs of <Name> and <Value>."""
    names = [child.text or "" for child in element.iterfind("Name")]
    if names:
        return dict(zip(names, (child.text or "" for child in element.iterfind("Value")), strict=False))
    link = "{http://www.w3.org/1999/xlink}href"
    return {child.tag: child.get(link) or child.text or "" for child in element}


def _from_text(text: str, source: str) -> tuple[Layout, Iterator[Row]]:
    lines = [line for line in re.split(r"\r?\n", text) if line.strip()]
    layout = _TEXT.get(lines[0].count("|") + 1) if lines else None
    if layout is None:
        raise UnreadableFile(f"{source} is no code table of CDC that is known here.")
    return layout, (_line_row(line, layout, source, number) for number, line in enumerate(lines, 1))


def _line_row(line: str, layout: Layout, source: str, number: int) -> Row:
    cells = line.split("|")
    if len(cells) != len(layout.columns):
        raise UnreadableFile(
            f"{source} is damaged: line {number} has {len(cells)} columns instead of {len(layout.columns)}."
        )
    return dict(zip(layout.columns, cells, strict=True))


def _cleaned(found: Row, layout: Layout, source: str, number: int) -> Row:
    """Rename, strip and date the columns. What the file has beyond the known columns is left."""
    row = {name: " ".join(found.get(heading, "").split()) for heading, name in layout.columns.items() if name != "_"}
    if missing := [name for name in layout.needed or layout.key if not row[name]]:
        raise UnreadableFile(f"{source} is damaged: row {number} has no {missing[0]}.")
    try:
        return row | {name: _iso(row[name]) for name in layout.dates}
    except ValueError as fault:
        raise UnreadableFile(f"{source} is damaged: row {number}: {fault}.") from None


def _iso(text: str) -> str:
    for form in _DATE_FORMS if text else ():
        try:
            return datetime.strptime(text, form).date().isoformat()  # noqa: DTZ007 - CDC's days have no time zone
        except ValueError:
            continue
    if text:
        raise ValueError(f"{text!r} is no date")
    return ""


def _key(row: Row, layout: Layout) -> str:
    return key_of(*(row[name] for name in layout.key))


def key_of(*parts: str) -> str:
    """The text that names a row by the columns of its key."""
    return "|".join(parts)
