"""The envelope around an encrypted value: version, key id, nonce, AES-256-GCM ciphertext with tag (NIST SP 800-38D)."""

import hashlib
import hmac
import os
import zlib
from functools import cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from prometheus_client import Counter

from . import keys

OPENED = Counter("encryption_opened", "Sealed values that were opened, or could not be.", ["outcome"])
_GOOD, _FAILED = OPENED.labels("success"), OPENED.labels("failure")

_VERSION = b"\x01"
_HEAD = 1 + 4 + 12  # version, key id, nonce
SHORTEST = _HEAD + 16  # bytes of an envelope: head and tag


class CannotOpen(Exception):
    """An envelope that is damaged, belongs to another row, or whose key is not in the ring."""


@cache
def _cipher(key: bytes) -> AESGCM:
    return AESGCM(key)


def seal(plain: bytes, aad: str) -> bytes:
    """Encrypt `plain`, bound to `aad` (`table.column|row`), compressed first so that rows stay small."""
    ring, nonce = keys.field_keys(), os.urandom(12)
    body = _cipher(ring.keys[ring.current]).encrypt(nonce, zlib.compress(plain, 6), aad.encode())
    return _VERSION + ring.current + nonce + body


def open_sealed(envelope: bytes, aad: str) -> bytes:
    """Return what `seal` was given; raise CannotOpen for anything else than that envelope in that place."""
    try:
        plain = _open(envelope, aad)
    except CannotOpen:
        _FAILED.inc()
        raise
    _GOOD.inc()
    return plain


def _open(envelope: bytes, aad: str) -> bytes:
    key = _key(envelope[1:5])
    if envelope[:1] != _VERSION or key is None:
        raise CannotOpen(f"No key {envelope[1:5].hex()} for {aad}; the key file lacks it or the value is no envelope.")
    try:
        return zlib.decompress(_cipher(key).decrypt(envelope[5:_HEAD], envelope[_HEAD:], aad.encode()))
    except (InvalidTag, zlib.error, ValueError):
        raise CannotOpen(f"The value of {aad} was changed or belongs to another row.") from None


def _key(key_id: bytes) -> bytes | None:
    """The key of that id; one that is not known may have come into the file since the last look."""
    return keys.field_keys().keys.get(key_id) or keys.field_keys(look=True).keys.get(key_id)


def blind_index(value: str, purpose: str) -> bytes:
    """A keyed fingerprint of 16 bytes to look an encrypted value up by: the id of the current key, and 12 bytes of
    HMAC-SHA-256. Letters and digits of the value count.
    """
    ring = keys.index_keys()
    return ring.current + _index_mac(ring.keys[ring.current], value, purpose)[:12]


def blind_indexes(value: str, purpose: str) -> list[bytes]:
    """What the index of a value may be, under any key of the ring: for lookups, also while a rotation runs.

    Rows that were written before the index named its key hold 16 bytes of the HMAC, until a rotation.
    """
    macs = [(key_id, _index_mac(key, value, purpose)) for key_id, key in keys.index_keys().keys.items()]
    return [form for key_id, mac in macs for form in (key_id + mac[:12], mac[:16])]


def fingerprint(plain: bytes, aad: str) -> bytes:
    """A keyed commitment (HMAC-SHA-256) to a sealed value in its place; unlike its envelope it outlives a rotation."""
    ring = keys.index_keys()
    return _commitment(ring.keys[ring.current], plain, aad)


def is_fingerprint(found: bytes, plain: bytes, aad: str) -> bool:
    """Whether `found` is what `fingerprint` gave under any key of the ring."""
    return any(hmac.compare_digest(found, _commitment(key, plain, aad)) for key in keys.index_keys().keys.values())


def _index_mac(key: bytes, value: str, purpose: str) -> bytes:
    plain = "".join(c for c in value.upper() if c.isalnum())
    return hmac.new(key, f"{purpose}|{plain}".encode(), hashlib.sha256).digest()


def _commitment(key: bytes, plain: bytes, aad: str) -> bytes:
    return hmac.new(key, b"fingerprint|" + aad.encode() + b"|" + plain, hashlib.sha256).digest()
