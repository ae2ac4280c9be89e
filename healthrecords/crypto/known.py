"""Compares the key files with the keys that the database remembers, so that a wrong file stops the start."""

import hashlib
import hmac
import logging

from django.core.exceptions import ImproperlyConfigured
from django.db import InterfaceError, OperationalError, ProgrammingError, connections
from django.utils import timezone

from . import keys
from .columns import is_under
from .models import SealingKey

logger = logging.getLogger(__name__)
_UNPOOLED = "owner"  # no pool whose threads a fork would lose; without an owner's URL it is the application's role


def refuse_foreign_keys() -> None:
    """Stop a start with keys that are not this database's; raise ImproperlyConfigured with one sentence.

    A database that does not answer, or is not migrated yet, stops nothing: a server must come back when it does.
    """
    try:
        remember_keys(_UNPOOLED)
    except (OperationalError, InterfaceError, ProgrammingError) as fault:
        logger.warning("The keys could not be compared with the database's (%s).", type(fault).__name__)
    finally:
        connections[_UNPOOLED].close()


def remember_keys(using: str = "default") -> None:
    """Compare the key files like `compare_keys`, then add their current keys to the database's memory."""
    compare_keys(using)
    for file in (keys.FIELD, keys.INDEX):
        ring = file.ring()
        SealingKey.objects.using(using).update_or_create(
            purpose=file.purpose,
            key_id=ring.current.hex(),
            defaults={"retired_at": None},
            create_defaults={"fingerprint": fingerprint(ring.keys[ring.current])},
        )


def compare_keys(using: str = "default") -> None:
    """Raise ImproperlyConfigured where a key file lacks a key that values are sealed with, or has another by its id."""
    for file in (keys.FIELD, keys.INDEX):
        ring = file.ring(look=True)
        for row in SealingKey.objects.using(using).filter(purpose=file.purpose, retired_at=None):
            _compare(row, file, ring, using)


def retire(key_ids: list[str]) -> None:
    """Note that no value is under these field keys any more."""
    known = SealingKey.objects.filter(purpose=keys.FIELD.purpose, key_id__in=key_ids, retired_at=None)
    known.update(retired_at=timezone.now())


def fingerprint(key: bytes) -> bytes:
    """16 bytes that tell a key from others and say nothing about it."""
    return hmac.new(key, b"healthrecords|key fingerprint", hashlib.sha256).digest()[:16]


def _compare(row: SealingKey, file: keys.KeyFile, ring: keys.KeyRing, using: str) -> None:
    key = ring.keys.get(bytes.fromhex(row.key_id))
    if key is None:
        _refuse_missing(row, file, using)
    elif fingerprint(key) != bytes(row.fingerprint):
        raise ImproperlyConfigured(
            f"{file.setting} names {file.path}, whose key {row.key_id} is not the one that this database was sealed "
            "with; name the right file, or put the right line back from a copy."
        )


def _refuse_missing(row: SealingKey, file: keys.KeyFile, using: str) -> None:
    """A key that nothing is sealed with may be missing; the index key finds values that no table names."""
    if row.purpose == keys.FIELD.purpose and not is_under(row.key_id, using):
        return
    raise ImproperlyConfigured(
        f"{file.setting} names {file.path}, which lacks the key {row.key_id} that values of this database are sealed "
        "with; name the right file, or put the line back from a copy."
    )
