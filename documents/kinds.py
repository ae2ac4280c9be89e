"""What content is by its first bytes; the sender's word is not believed."""

import re

HEAD = 512  # bytes that are looked at
UNKNOWN = "application/octet-stream"
_MAGIC: tuple[tuple[int, bytes, str], ...] = (
    (0, b"%PDF-", "application/pdf"),
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"GIF87a", "image/gif"),
    (0, b"GIF89a", "image/gif"),
    (0, b"II*\x00", "image/tiff"),
    (0, b"MM\x00*", "image/tiff"),
    (0, b"BM", "image/bmp"),
    (8, b"WEBP", "image/webp"),
    (128, b"DICM", "application/dicom"),
    (0, b"PK\x03\x04", "application/zip"),
    (0, b"PK\x05\x06", "application/zip"),
    (0, b"\x1f\x8b", "application/gzip"),
    (0, b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (0, b"Rar!\x1a\x07", "application/vnd.rar"),
    (0, b"{\\rtf", "application/rtf"),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-ole-storage"),
    (4, b"ftyp", "video/mp4"),
    (8, b"WAVE", "audio/wav"),
    (0, b"ID3", "audio/mpeg"),
    (0, b"OggS", "application/ogg"),
    (257, b"ustar", "application/x-tar"),
    (0, b"BZh", "application/x-bzip2"),
    (0, b"\xfd7zXZ\x00", "application/x-xz"),
    (0, b"\x28\xb5\x2f\xfd", "application/zstd"),
    (0, b"MSCF\x00", "application/vnd.ms-cab-compressed"),
    (0, b"\x7fELF", "application/x-executable"),
    (0, b"MZ", "application/x-executable"),
    (0, b"\xca\xfe\xba\xbe", "application/x-executable"),  # Java classes, and programs of macOS
    (0, b"\xcf\xfa\xed\xfe", "application/x-executable"),
    (0, b"\x00asm", "application/x-executable"),
    (0, b"#!", "application/x-executable"),
)
_WORDS = (b"BM", b"MZ")  # marks with which a text may begin, too: a NUL among the first bytes tells
# What a browser may run, or render as a page, by its type.
_ACTIVE = re.compile(
    r"text/(html|css|xsl|vbscript|x-component|cache-manifest|\w*-?(java|ecma|live|j)script[\d.]*)"
    r"|image/svg(\+xml)?|multipart/.+|message/.+"
    r"|application/(xhtml(\+xml)?|xslt\+xml|x?-?(java|ecma)script|hta|wasm|java-archive|x-shockwave-flash|x-mimearchive"
    r"|vnd\.wap\.xhtml\+xml|mathml\+xml)",
    re.IGNORECASE,
)
_MEDIA_TYPE = re.compile(r"[!#$%&'*+.^_`|~\w-]+/[!#$%&'*+.^_`|~\w-]+(\s*;[ -~]*)?", re.ASCII)
_MARKUP = (
    (rb"<svg[\s>]", "image/svg+xml"),
    (rb"<!doctype\s+html|<html[\s>]|<script[\s>]|<body[\s>]|<head[\s>]|<iframe[\s>]", "text/html"),
    (rb"<ClinicalDocument[\s>]", "application/hl7-cda+xml"),
    (rb"^<\?xml\s", "application/xml"),
)


def kind_of(head: bytes) -> str:
    """The media type of content that begins with `head` (HEAD bytes of it, or all)."""
    for offset, mark, kind in _MAGIC:
        if head.startswith(mark, offset) and (mark not in _WORDS or b"\0" in head):
            return kind
    return _text_kind(head.removeprefix(b"\xef\xbb\xbf").lstrip())


def served_as(claimed: str) -> str:
    """The type under which content leaves: the claimed one, unless a browser would run it, or it is no media type."""
    kind = claimed.partition(";")[0].strip()
    if not _MEDIA_TYPE.fullmatch(claimed) or _ACTIVE.fullmatch(kind):
        return UNKNOWN
    return claimed


def _text_kind(text: bytes) -> str:
    for pattern, kind in _MARKUP:
        if re.search(pattern, text, re.IGNORECASE):
            return kind
    if text.startswith(b"MSH|"):
        return "x-application/hl7-v2+er7"
    if re.match(rb"[{\[]\s*[\"\[{\]}0-9tfn-]", text):
        return "application/json"
    return "text/plain" if _is_text(text) else UNKNOWN


def _is_text(text: bytes) -> bool:
    """Whether it is UTF-8 without control characters; a character cut off at the end counts."""
    try:
        shown = text.decode()
    except UnicodeDecodeError as fault:
        if fault.start < len(text) - 3:
            return False
        shown = text[: fault.start].decode()
    return bool(shown) and not re.search("[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f]", shown)
