"""Reads the key files. A missing, malformed or widely readable key stops the start: no key, no data.

A key file holds one line per key, `<8 hex digits of key id>:<base64 of 32 bytes>`; the first line is the key that
new values are written with, the others still open old ones.
"""

import base64
import binascii
import re
import stat
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

_LINE = re.compile(r"^([0-9a-f]{8}):([A-Za-z0-9+/]{43}=)$")


@dataclass(frozen=True)
class KeyRing:
    """Keys by their 4-byte id; `current` is the id that new values are written with."""

    keys: dict[bytes, bytes]
    current: bytes


def read_key_file(path: Path, setting: str) -> KeyRing:
    """Return the keys of `path`; raise ImproperlyConfigured with a sentence that names `setting`."""
    try:
        mode, text = path.stat().st_mode, path.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as fault:
        raise ImproperlyConfigured(f"{setting} names {path}, which cannot be read ({fault}).") from None
    if stat.S_IMODE(mode) & 0o077:
        raise ImproperlyConfigured(f"{setting} names {path}, which others may read; chmod 600 it.")
    keys = dict(_parse(line, path, setting) for line in text.splitlines() if line.strip())
    if not keys:
        raise ImproperlyConfigured(f"{setting} names {path}, which holds no key.")
    return KeyRing(keys, next(iter(keys)))


def _parse(line: str, path: Path, setting: str) -> tuple[bytes, bytes]:
    found = _LINE.match(line.strip())
    try:
        return bytes.fromhex(found[1]), base64.b64decode(found[2], validate=True)  # type: ignore[index]
    except (TypeError, binascii.Error):
        raise ImproperlyConfigured(
            f"{setting} names {path}, which has a malformed line; a line is KEYID:BASE64, 8 hex digits and 32 bytes."
        ) from None


@cache
def field_keys() -> KeyRing:
    """The keys that encrypted columns are written and read with."""
    return read_key_file(Path(settings.FIELD_KEY_FILE), "HEALTHCARE_FIELD_KEY_FILE")


@cache
def index_key() -> bytes:
    """The key of the blind indexes, apart from the field keys so that neither tells the other."""
    ring = read_key_file(Path(settings.INDEX_KEY_FILE), "HEALTHCARE_INDEX_KEY_FILE")
    return ring.keys[ring.current]
