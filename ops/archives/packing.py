"""Packs files into a tar on the way to the repository, with the list of their hashes (`sha256sum -c SHA256SUMS`)."""

import hashlib
import io
import os
import tarfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from pyrage import x25519

from ops.backup.catalogue import Part
from ops.backup.faults import BackupFault
from ops.backup.flow import Measured, Readable, joined
from ops.backup.repository import Repository
from ops.backup.sealing import SUFFIX, sealed

SUMS = "SHA256SUMS"


@dataclass(frozen=True)
class Member:
    """A file of an archive: its name there, and where it is or what it holds."""

    name: str
    path: Path | None = None
    data: bytes = b""


@dataclass(frozen=True)
class Group:
    """Files that are sealed together, and to whom."""

    role: str
    members: Sequence[Member]
    to: Sequence[x25519.Recipient]


@dataclass(frozen=True)
class Packed:
    """A group in the repository; `digest` is the SHA-256 of its list of hashes."""

    part: Part
    digest: str


def pack(group: Group, folder: str, target: Repository) -> Packed:
    """Store a group; raise BackupFault. A file that grows meanwhile is kept as long as it was."""
    sums: dict[str, str] = {}
    name = f"{folder}{group.role}.tar{SUFFIX}"
    with joined(lambda sink: _write(group.members, sums, sink)) as flow:
        plain = Measured(flow)
        with sealed(plain, group.to) as packed:
            target.put(name, packed)
    return Packed(Part(group.role, name, packed.size, packed.sha256, plain.size), digest(sums))


def _write(members: Iterable[Member], sums: dict[str, str], sink: BinaryIO) -> None:
    with tarfile.open(fileobj=sink, mode="w|") as archive:
        for member in members:
            sums[member.name] = _add(member, archive)
        listed = sums_text(sums)
        facts = tarfile.TarInfo(SUMS)
        facts.size, facts.mode = len(listed), 0o600
        archive.addfile(facts, io.BytesIO(listed))


def _add(member: Member, archive: tarfile.TarFile) -> str:
    """Add a file and return its hash."""
    facts = tarfile.TarInfo(member.name)
    try:
        with member.path.open("rb") if member.path else io.BytesIO(member.data) as source:
            if member.path:
                status = os.fstat(source.fileno())
                facts.size, facts.mtime, facts.mode = status.st_size, int(status.st_mtime), status.st_mode & 0o700
            else:
                facts.size, facts.mode = len(member.data), 0o600
            measured = Measured(cast(Readable, source))
            archive.addfile(facts, cast(BinaryIO, measured))
    except OSError as fault:
        raise BackupFault(f"{member.path or member.name} cannot be read ({fault.strerror or fault}).") from None
    return measured.sha256


def sums_text(sums: dict[str, str]) -> bytes:
    """The list of hashes, as `sha256sum` reads it."""
    return "".join(f"{sums[name]}  {name}\n" for name in sorted(sums)).encode()


def digest(sums: dict[str, str]) -> str:
    """What names a set of files by their content."""
    return hashlib.sha256(sums_text(sums)).hexdigest()


def digest_of(members: Iterable[Member]) -> str:
    """The digest that these files will have."""
    read = ((member.name, member.path.read_bytes() if member.path else member.data) for member in members)
    return digest({name: hashlib.sha256(data).hexdigest() for name, data in read})
