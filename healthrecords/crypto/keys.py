"""Reads the key files. A missing, malformed or widely readable key stops the start: no key, no data.

A key file holds one line per key, `<8 hex digits of key id>:<base64 of 32 bytes>`; the first line is the key that
new values are written with, the others still open old ones. A process that runs follows a changed file.
"""

import base64
import binascii
import logging
import re
import stat
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

logger = logging.getLogger(__name__)

LOOK_EVERY = 2.0  # seconds between two looks of a process at its key file
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
    lines = [_parse(line, path, setting) for line in text.splitlines() if line.strip()]
    keys = dict(lines)
    if not keys:
        raise ImproperlyConfigured(f"{setting} names {path}, which holds no key.")
    if len(keys) < len(lines):
        raise ImproperlyConfigured(f"{setting} names {path}, which has two lines with one key id; keep the right one.")
    return KeyRing(keys, next(iter(keys)))


def _parse(line: str, path: Path, setting: str) -> tuple[bytes, bytes]:
    found = _LINE.match(line.strip())
    try:
        return bytes.fromhex(found[1]), base64.b64decode(found[2], validate=True)  # type: ignore[index]
    except (TypeError, binascii.Error):
        raise ImproperlyConfigured(
            f"{setting} names {path}, which has a malformed line; a line is KEYID:BASE64, 8 hex digits and 32 bytes."
        ) from None


class KeyFile:
    """One key file, read at the first use and again when it has changed.

    A change that would take the current key away, or that cannot be read, is logged and not followed: a process that
    runs keeps the keys it has.
    """

    def __init__(self, purpose: str) -> None:
        self.purpose, self.setting = purpose, f"HEALTHCARE_{purpose.upper()}_KEY_FILE"
        self.forget()

    @property
    def path(self) -> Path:
        """Where the settings say that it is."""
        return Path(getattr(settings, self.setting.removeprefix("HEALTHCARE_")))

    def forget(self) -> None:
        """Read the file at the next use, whatever was known before."""
        self._ring: KeyRing | None = None
        self._stamp: tuple[int, ...] = ()
        self._next_look = 0.0

    def ring(self, look: bool = False) -> KeyRing:
        """Return the keys, no older than LOOK_EVERY, or with `look` as they are now."""
        if self._ring is None:
            self._next_look, self._stamp = monotonic() + LOOK_EVERY, self._changed()
            self._ring = read_key_file(self.path, self.setting)
        elif look or monotonic() >= self._next_look:
            self._next_look = monotonic() + LOOK_EVERY
            self._ring = self._follow(self._ring)
        return self._ring

    def _follow(self, held: KeyRing) -> KeyRing:
        stamp = self._changed()
        if stamp == self._stamp:
            return held
        try:
            fresh = read_key_file(self.path, self.setting)
        except ImproperlyConfigured as fault:
            logger.error("%s The keys that were read before stay in use.", fault)
            return held
        if fresh.keys.get(held.current) != held.keys[held.current]:
            lost = f"{self.setting} names {self.path}, which has lost the key {held.current.hex()} that is in use."
            logger.error("%s The keys that were read before stay in use.", lost)
            return held
        self._stamp = stamp
        return fresh

    def _changed(self) -> tuple[int, ...]:
        try:
            facts = self.path.stat()
        except OSError:
            return ()
        return facts.st_ino, facts.st_size, facts.st_mtime_ns, facts.st_mode


FIELD, INDEX, AUDIT = KeyFile("field"), KeyFile("index"), KeyFile("audit")


def field_keys(look: bool = False) -> KeyRing:
    """The keys that encrypted columns are written and read with; `look`: as the file is now."""
    return FIELD.ring(look)


def index_keys() -> KeyRing:
    """The keys of the blind indexes, apart from the field keys so that neither tells the other."""
    return INDEX.ring()
