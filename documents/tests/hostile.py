"""Hostile files, made by code: what is sent, as what, and what becomes of it; docs/security/documents.md shows it."""

import base64
import gzip
import io
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from documents.tests.scanners import EICAR

OCTETS = "application/octet-stream"


@dataclass(frozen=True)
class Hostile:
    """One upload. `says` is part of the refusal; without it the content is stored and served as `served`.

    `attachment`: sent inside a DocumentReference instead, with these elements. `scanned`: clamd is the scanner.
    """

    name: str
    build: Callable[[], bytes] = lambda: b"A letter."
    declared: str = OCTETS
    says: str = ""
    served: str = ""
    status: int = 422
    attachment: dict[str, Any] = field(default_factory=dict)
    as_json: bool = False
    scanned: bool = False

    @property
    def fate(self) -> str:
        """What becomes of it, for the table."""
        if self.says:
            return f"refused, {self.status}: {self.says}"
        if self.attachment:
            return "stored as text, used as no path and no address"
        return f"stored; leaves as an attachment of type `{self.served or self.declared}`"


# --- Archives -----------------------------------------------------------------------------------------------------


def zipped(*files: tuple[str, bytes], level: int = 9) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=level) as archive:
        for name, data in files:
            archive.writestr(zipfile.ZipInfo(name, (2024, 1, 1, 0, 0, 0)), data, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def nested(data: bytes, depth: int) -> bytes:
    for level in range(depth):
        data = zipped((f"{level}.zip" if level else "letter.txt", data))
    return data


def forty_two() -> bytes:
    """42.zip in small: each level holds the same eight times."""
    data = zipped(("0.txt", bytes(4_000_000)))
    for level in range(2):
        data = zipped(*((f"{level}-{number}.zip", data) for number in range(8)))
    return data


def overlapping() -> bytes:
    """A directory that names one file eight times (Fifield 2019)."""
    whole = bytearray(zipped(("kernel", bytes(1_000_000))))
    start = whole.index(b"PK\x01\x02")
    end = whole.index(b"PK\x05\x06")
    central = bytes(whole[start:end])
    tail = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, 8, 8, len(central) * 8, start, 0)
    return bytes(whole[:start]) + central * 8 + tail


def hidden_file() -> bytes:
    """A file that stands in the archive but not in its directory."""
    first, second = zipped(("a.txt", b"shown")), zipped(("b.txt", b"hidden"))
    start = second.index(b"PK\x01\x02")
    body, central = first[: first.index(b"PK\x01\x02")], second[start : second.index(b"PK\x05\x06")]
    moved = central[:42] + struct.pack("<I", len(body)) + central[46:]
    at = len(body) + start
    return body + second[:start] + moved + struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, 1, 1, len(moved), at, 0)


def quine() -> bytes:
    """An archive in an archive in an archive, as one that holds itself looks from outside."""
    return nested(b"me", 9)


def lying() -> bytes:
    """A header that states ten bytes for what expands to a million."""
    whole = bytearray(zipped(("a.txt", bytes(1_000_000))))
    whole[22:26] = struct.pack("<I", 10)
    return bytes(whole)


def encrypted_zip() -> bytes:
    whole = bytearray(zipped(("a.txt", b"secret")))
    whole[6] |= 1
    whole[whole.index(b"PK\x01\x02") + 8] |= 1
    return bytes(whole)


def zip_link() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        link = zipfile.ZipInfo("passwords")
        link.create_system, link.external_attr = 3, 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
    return out.getvalue()


def tarred(name: str = "a.txt", kind: bytes = tarfile.REGTYPE, data: bytes = b"") -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as archive:
        member = tarfile.TarInfo(name)
        member.type, member.size, member.linkname = kind, len(data), "/etc/passwd" if kind != tarfile.REGTYPE else ""
        archive.addfile(member, io.BytesIO(data))
    return out.getvalue()


def many_files() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for number in range(10_001):
            archive.writestr(str(number), b"")
    return out.getvalue()


def gzip_bomb(layers: int = 1) -> bytes:
    data = bytes(100_000_000)
    for _ in range(layers):
        data = gzip.compress(data, 6, mtime=0)
    return data


# --- PDF, images, markup ------------------------------------------------------------------------------------------


def pdf(*objects: bytes) -> bytes:
    numbered = b"".join(b"%d 0 obj\n%s\nendobj\n" % pair for pair in enumerate(objects, 1))
    return b"%PDF-1.7\n" + numbered + b"trailer <</Root 1 0 R>>\n%%EOF\n"


def stream(data: bytes, words: bytes = b"/Filter/FlateDecode") -> bytes:
    return b"<<%s/Length %d>>\nstream\n%s\nendstream" % (words, len(data), data)


def flat(data: bytes, times: int = 1) -> bytes:
    for _ in range(times):
        data = zlib.compress(data, 6)
    return data


def pdf_bomb() -> bytes:
    inner = zlib.compressobj(1)
    data = b"".join(inner.compress(bytes(8 * 1024**2)) for _ in range(65)) + inner.flush()
    return pdf(b"<</Type/Catalog>>", stream(flat(data), b"/Filter[/FlateDecode/Fl#61teDecode]"))


def png(width: int = 50_000, height: int = 50_000) -> bytes:
    head = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + head + struct.pack(">I", zlib.crc32(head)) + bytes(100)


def jpeg() -> bytes:
    return b"\xff\xd8\xff\xe0\x00\x04ab" + b"\xff\xc0\x00\x11\x08\xff\xff\xff\xff\x03" + bytes(60)


def tiff() -> bytes:
    fields = struct.pack("<HHHII", 2, 256, 4, 1, 60_000) + struct.pack("<HHII", 257, 4, 1, 60_000)
    return b"II*\0" + struct.pack("<I", 20) + bytes(12) + fields + bytes(4)


def laughs() -> bytes:
    lines = b"".join(b'<!ENTITY l%d "%s">' % (n, b"&l%d;" % (n - 1) * 10) for n in range(1, 10))
    return b'<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY l0 "lol">' + lines + b"]><lolz>&l9;</lolz>"


XXE = b'<?xml version="1.0"?>\n<!-- a letter -->\n<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>'
XXE_CDA = XXE.replace(b"DOCTYPE a", b"DOCTYPE ClinicalDocument").replace(
    b"<a>", b'<ClinicalDocument xmlns="urn:hl7-org:v3">'
)
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"><script>alert(1)</script></svg>'
HTML = b"<!doctype html><script>alert(document.cookie)</script>"
XHTML = (
    b'<?xml version="1.0"?><!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Strict//EN" "xhtml1-strict.dtd">'
    b'<html xmlns="http://www.w3.org/1999/xhtml"><script>alert(1)</script></html>'
)
MHTML = (
    b"MIME-Version: 1.0\r\nContent-Type: multipart/related; boundary=b\r\n\r\n--b\r\nContent-Type: text/html\r\n\r\n"
    + HTML
)
GIF = b"GIF89a/*\x0a\x00" + bytes(20) + b"*/=1;alert(1)"
PROGRAM = b"MZ\x90\0\x03" + bytes(60) + b"This program cannot be run in DOS mode."
LETTER = pdf(b"<</Type/Catalog>>", stream(flat(b"A letter.")))
PDF, ZIP, TAR, GZIP = "application/pdf", "application/zip", "application/x-tar", "application/gzip"
HIDES, OUT, LINKS = "control or direction characters", "leads out of its folder", "holds a link"
CONTRADICTS, TWO, DTD = "contradicts itself", "two things at once", "document type (DTD)"
NO_PROGRAM, RATIO = "A program is no document", "200 times its size"
EMBEDDED = b"/Type/EmbeddedFile/Filter/FlateDecode"
FOUND = "The virus scanner found Eicar-Test-Signature"

ROWS = (
    # Two things at once
    Hostile("PDF that is HTML, too", lambda: HTML + LETTER, PDF),
    Hostile("PDF, then HTML", lambda: LETTER + HTML, PDF),
    Hostile("GIF that is JavaScript, too", lambda: GIF, "image/gif"),
    Hostile("GIF sent as JavaScript", lambda: GIF, "text/javascript", served=OCTETS),
    Hostile("PDF that is a ZIP, too", lambda: LETTER + zipped(("a.txt", b"x")), PDF, says=TWO),
    Hostile("GIF that is a Java archive, too (GIFAR)",
            lambda: GIF + zipped(("A.class", b"\xca\xfe")), "image/gif", says=TWO),
    Hostile("ZIP, then a PDF", lambda: zipped(("a.txt", b"x")) + LETTER, ZIP, says="followed by other data"),
    # What a browser would run
    Hostile("SVG with a script", lambda: SVG, "image/svg+xml", served=OCTETS),
    Hostile("SVG with a script, as PNG", lambda: SVG, "image/png"),
    Hostile("HTML with a script", lambda: HTML, "text/html; charset=utf-8", served=OCTETS),
    Hostile("HTML as text", lambda: HTML, "text/plain"),
    Hostile("XHTML with a script", lambda: XHTML, "application/xhtml+xml", served=OCTETS),
    Hostile("MHTML", lambda: MHTML, "multipart/related", served=OCTETS),
    Hostile("script as image", lambda: b"alert(1)//", "image/jpeg"),
    Hostile("script as JavaScript", lambda: b"alert(1)", "application/javascript", served=OCTETS),
    Hostile("XML with a style sheet that runs",
            lambda: b'<?xml version="1.0"?><?xml-stylesheet href="x.xsl"?><a/>', "text/xml"),
    # Programs
    Hostile("program as PDF", lambda: PROGRAM, PDF, says=NO_PROGRAM),
    Hostile("program in a ZIP, double extension", lambda: zipped(("letter.pdf.exe", PROGRAM)), says=NO_PROGRAM),
    Hostile("shell script as image", lambda: b"#!/bin/sh\nrm -rf /\n", "image/png", says=NO_PROGRAM),
    # Archives that expand
    Hostile("flat ZIP bomb", lambda: zipped(("0.txt", bytes(100_000_000))), ZIP, says=RATIO),
    Hostile("42.zip in small", forty_two, ZIP, says=RATIO),
    Hostile("ZIP bomb as DOCX",
            lambda: zipped(("[Content_Types].xml", b"<a/>"), ("word/document.xml", bytes(60_000_000))),
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document", says=RATIO),
    Hostile("ZIP with overlapping files", overlapping, ZIP, says=CONTRADICTS),
    Hostile("ZIP that holds itself", quine, ZIP, says="more than 5 deep"),
    Hostile("ZIP with 10,001 files", many_files, ZIP, says="more than 10000 files"),
    Hostile("ZIP that states another size", lying, ZIP, says=CONTRADICTS),
    Hostile("ZIP with a file that its directory leaves out", hidden_file, ZIP, says=CONTRADICTS),
    Hostile("gzip bomb", gzip_bomb, GZIP, says=RATIO),
    Hostile("gzip bomb in a gzip", lambda: gzip_bomb(2), GZIP, says=RATIO),
    Hostile("gzip, then HTML", lambda: gzip.compress(b"x") + HTML, GZIP, says="followed by other data"),
    Hostile("encrypted ZIP", encrypted_zip, ZIP, says="The archive is encrypted"),
    Hostile("7z",
            lambda: b"7z\xbc\xaf\x27\x1c" + bytes(50), "application/x-7z-compressed", says="send a ZIP"),
    Hostile("ZIP, cut off", lambda: zipped(("a.txt", b"x" * 5000))[:-30], ZIP, says="cut off"),
    # Names in archives
    Hostile("tar with ../../", lambda: tarred("../../etc/cron.d/x"), TAR, says=OUT),
    Hostile("tar with an absolute name", lambda: tarred("/etc/passwd"), TAR, says=OUT),
    Hostile("tar with a symbolic link", lambda: tarred(kind=tarfile.SYMTYPE), TAR, says=LINKS),
    Hostile("tar with a hard link", lambda: tarred(kind=tarfile.LNKTYPE), TAR, says=LINKS),
    Hostile("tar with a device", lambda: tarred(kind=tarfile.CHRTYPE), TAR, says=LINKS),
    Hostile("tar with ../ in a pax header", lambda: tarred("../" + "é" * 120), TAR, says=OUT),
    Hostile("tar in a gzip with ../", lambda: gzip.compress(tarred("a/../../b")), GZIP, says=OUT),
    Hostile("ZIP with ..\\", lambda: zipped(("..\\..\\evil.bat", b"x")), ZIP, says=OUT),
    Hostile("ZIP with a drive letter", lambda: zipped(("C:evil.bat", b"x")), ZIP, says=OUT),
    Hostile("ZIP with NUL in a name", lambda: zipped(("a.txt@.exe", b"x")).replace(b"t@.", b"t\0."), ZIP, says=HIDES),
    Hostile("ZIP with a name that runs from right to left", lambda: zipped(("\u202efdp.exe", b"x")), ZIP, says=HIDES),
    Hostile("ZIP with a newline in a name", lambda: zipped(("a\nb.txt", b"x")), ZIP, says=HIDES),
    Hostile("ZIP with a name of 2,000 bytes", lambda: zipped(("a" * 2000, b"x")), ZIP, says="more than 1024 bytes"),
    Hostile("ZIP with a link", zip_link, ZIP, says="link in place of a file"),
    # Markup
    Hostile("billion laughs", laughs, "application/xml", says=DTD),
    Hostile("XML with an external entity", lambda: XXE, "application/xml", says=DTD),
    Hostile("the same in UTF-16", lambda: XXE.decode().encode("utf-16"), "application/xml", says=DTD),
    Hostile("the same in a ZIP", lambda: zipped(("a.xml", XXE)), ZIP, says=DTD),
    Hostile("C-CDA with an external entity", lambda: XXE_CDA, "application/hl7-cda+xml", says=DTD),
    Hostile("SVG with entities",
            lambda: b'<!DOCTYPE svg [<!ENTITY a "b">]>' + SVG, "image/svg+xml", says="declares entities"),
    # PDF
    Hostile("PDF with JavaScript that runs when it opens",
            lambda: pdf(b"<</OpenAction<</S/JavaScript/JS(alert)>>>>"), PDF),
    Hostile("PDF that starts a program", lambda: pdf(b"<</OpenAction<</S/Launch/F(cmd.exe)>>>>"), PDF),
    Hostile("PDF bomb, Flate in Flate, its filter's name disguised", pdf_bomb, PDF, says="more than 512 MB"),
    Hostile("PDF with 600,000 objects in one stream", lambda: pdf(stream(flat(b""), b"/Type/ObjStm/N 600000")),
            PDF, says="more than 500000 objects"),
    Hostile("PDF with twelve filters",
            lambda: pdf(stream(b"", b"/Filter[" + b"/FlateDecode" * 12 + b"]")), PDF, says="more than 4 filters"),
    Hostile("PDF with an embedded program", lambda: pdf(stream(flat(PROGRAM), EMBEDDED)),
            PDF, says=NO_PROGRAM),
    Hostile("PDF, cut off", lambda: LETTER[:-40], PDF),
    Hostile("encrypted PDF", lambda: pdf(stream(b"\x91\x02opaque"), b"<</Encrypt 5 0 R>>"), PDF),
    # Images
    Hostile("PNG of 2,500 megapixels", png, "image/png", says="50000 x 50000 pixels"),
    Hostile("JPEG of 4,295 megapixels", jpeg, "image/jpeg", says="65535 x 65535 pixels"),
    Hostile("TIFF of 3,600 megapixels", tiff, "image/tiff", says="60000 x 60000 pixels"),
    Hostile("GIF of 4,295 megapixels",
            lambda: b"GIF89a\xff\xff\xff\xff" + bytes(50), "image/gif", says="65535 x 65535 pixels"),
    # EICAR, before clamd
    Hostile("EICAR", lambda: EICAR, "text/plain", says=FOUND, scanned=True),
    Hostile("EICAR with spaces behind it", lambda: EICAR + b" \r\n\t", "text/plain", says=FOUND, scanned=True),
    Hostile("EICAR in a ZIP", lambda: zipped(("eicar.com", EICAR)), ZIP, says=FOUND, scanned=True),
    Hostile("EICAR in four ZIPs", lambda: nested(EICAR, 4), ZIP, says=FOUND, scanned=True),
    Hostile("EICAR in a gzip", lambda: gzip.compress(EICAR), GZIP, says=FOUND, scanned=True),
    Hostile("EICAR in a tar in a gzip", lambda: gzip.compress(tarred(data=EICAR)), GZIP, says=FOUND, scanned=True),
    Hostile("EICAR embedded in a PDF", lambda: pdf(stream(flat(EICAR), EMBEDDED)),
            PDF, says=FOUND, scanned=True),
    Hostile("EICAR behind a picture", lambda: png(8, 8) + EICAR, "image/png", says=FOUND, scanned=True),
    # What is said about the content
    Hostile("nothing", lambda: b"", PDF, says="brings no content", status=400),
    Hostile("type with a line break", declared="text/plain\r\nSet-Cookie: a=b", as_json=True, says="single spaces"),
    Hostile("type that is none", declared="no type", as_json=True, says="is not a code of the value set mimetypes"),
    Hostile("type of 10,000 characters", declared="a/" + "b" * 10_000, says="must say what the content is", status=400),
    Hostile("title with a path", attachment={"title": "../../../etc/passwd"}),
    Hostile("title with a line break and direction characters", attachment={"title": "letter\r\nX: y \u202efdp.exe"}),
    Hostile("title of 10,000 characters", attachment={"title": "x" * 10_000}, says="longer than 4000 characters"),
    Hostile("address that is a path", attachment={"url": "../../../etc/passwd"}),
    Hostile("address that is a script", attachment={"url": "javascript:alert(1)"}, says="is no address of a document"),
    Hostile("address of a file", attachment={"url": "file:///etc/passwd"}, says="is no address of a document"),
)  # fmt: skip


def inline(data: bytes) -> str:
    """Content as a resource in JSON brings it."""
    return base64.b64encode(data).decode()


def table() -> str:
    """The rows as a table in Markdown."""
    head = "| file | declared as | what becomes of it |\n| --- | --- | --- |\n"
    return head + "".join(f"| {row.name} | {_declared(row)} | {row.fate} |\n" for row in ROWS)


def _declared(row: Hostile) -> str:
    if row.attachment:
        return "`DocumentReference`"
    return f"`{row.declared[:75].encode('unicode_escape').decode()}{'…' if len(row.declared) > 75 else ''}`"
