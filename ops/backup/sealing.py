"""Compressed with zstd and encrypted with age on the way, to public recipients; opened where the identity is.

The formats are public, so that `age -d | zstd -d | tar x` opens an object without this program:
https://age-encryption.org/v1 and RFC 8878. Age authenticates each 64 KiB before it gives them out.
"""

import hashlib
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

import pyrage
import zstandard
from pyrage import x25519

from .faults import BackupFault, Damaged
from .flow import Measured, Readable, drain, joined

SUFFIX = ".zst.age"
_LEVEL = 3


class WrongKey(BackupFault):
    """The identity that is here does not open this object."""


def recipients(path: Path) -> list[x25519.Recipient]:
    """Read the public keys to which everything is sealed, one to a line; raise BackupFault."""
    lines = _lines(path, "HEALTHCARE_BACKUP_RECIPIENTS_FILE")
    try:
        found = [x25519.Recipient.from_str(line) for line in lines]
    except pyrage.RecipientError:
        raise BackupFault(f"{path} holds a line that is no age recipient; a line begins with age1.") from None
    if not found:
        raise BackupFault(f"{path} names no recipient; without one nothing can be sealed.")
    return found


def identities(path: Path) -> list[x25519.Identity]:
    """Read the private keys that open backups; raise BackupFault where the file is missing, open or malformed."""
    lines = _lines(path, "HEALTHCARE_BACKUP_IDENTITY_FILE")
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise BackupFault(f"{path} holds a private key and others may read it; chmod 600 it.")
    try:
        found = [x25519.Identity.from_str(line) for line in lines]
    except pyrage.IdentityError:
        raise BackupFault(f"{path} holds a line that is no age identity.") from None
    if not found:
        raise BackupFault(f"{path} holds no identity; put the private key of a recipient there.")
    return found


def key_id(recipient: x25519.Recipient) -> str:
    """A short name of a public key: the first 12 hex digits of its SHA-256."""
    return hashlib.sha256(str(recipient).encode()).hexdigest()[:12]


@contextmanager
def sealed(source: Readable, to: Sequence[x25519.Recipient]) -> Iterator[Measured]:
    """Yield what `source` becomes, compressed and encrypted; it is measured on the way."""
    packed = zstandard.ZstdCompressor(level=_LEVEL, write_checksum=True, threads=os.cpu_count() or 1)

    def write(sink: BinaryIO) -> None:
        pyrage.encrypt_io(packed.stream_reader(cast(BinaryIO, source)), sink, list(to))

    with joined(write) as flow:
        yield Measured(flow)


@contextmanager
def opened(source: Measured, name: str, keys: Sequence[x25519.Identity]) -> Iterator[Readable]:
    """Yield what was sealed; raise WrongKey or Damaged, at the latest at the end of reading."""

    def write(sink: BinaryIO) -> None:
        try:
            pyrage.decrypt_io(source, sink, list(keys))
        except (pyrage.DecryptError, OSError) as fault:
            raise source.fault or _refused(fault, name) from None
        drain(source)

    with joined(write) as flow:
        try:
            yield zstandard.ZstdDecompressor().stream_reader(cast(BinaryIO, flow), read_across_frames=True)
        except zstandard.ZstdError:
            raise Damaged(f"{name} is damaged: what it holds cannot be unpacked.") from None
        drain(flow)


def _refused(fault: Exception, name: str) -> BackupFault:
    if "No matching keys" in str(fault):
        return WrongKey(
            f"{name} was not sealed to the key in HEALTHCARE_BACKUP_IDENTITY_FILE; name the identity of one of its "
            "recipients."
        )
    return Damaged(f"{name} is damaged: it does not decrypt ({fault}).")


def _lines(path: Path, setting: str) -> list[str]:
    try:
        text = path.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as fault:
        raise BackupFault(f"{setting} names {path}, which cannot be read ({fault}).") from None
    return [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
