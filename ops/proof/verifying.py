"""Hashes the repository again, without a key: every object is there and is what was stored."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from healthrecords.cli import counted
from ops.archives.entries import archives
from ops.backup import catalogue as books
from ops.backup import log
from ops.backup.catalogue import Catalogue, Part
from ops.backup.faults import Damaged, Missing
from ops.backup.flow import Measured, drain
from ops.backup.log import Log
from ops.backup.repository import Repository, Stored, repository

from . import proofs, retention
from .chains import chains

Advance = Callable[[float], None]


@dataclass
class Verified:
    """What was read, in objects and bytes, and one sentence for each object that is not as it was stored."""

    objects: int = 0
    bytes: int = 0
    findings: list[str] = field(default_factory=list)


def verify(advance: Advance = lambda _: None) -> Verified:
    """Read the whole repository; raise RepositoryDown. The open segment alone has no hash: it lives for minutes."""
    target = repository()
    target.check()
    known = books.catalogue(target)
    others = archives(target)
    found = Verified(objects=len(known.entries) + len(others.entries))
    found.findings += [
        f"{name} is damaged: it does not agree with its own hash." for name in (*known.damaged, *others.damaged)
    ]
    parts = [part for entry in known.entries for part in entry.parts]
    parts += [part for entry in others.entries for part in entry.parts]
    for step in (_documents(target), _parts(target, parts, advance), _segments(target, advance), _gaps(target, known)):
        for fault, size in step:
            found.objects, found.bytes = found.objects + bool(size), found.bytes + size
            found.findings += [fault] if fault else []
    return found


def size(target: Repository) -> int:
    """The bytes that `verify` will read."""
    return sum(each.size for prefix in ("backups/", "archives/", "wal/") for each in target.names(prefix))


_Step = Iterator[tuple[str, int]]


def _documents(target: Repository) -> _Step:
    """Points, proofs and horizons, each with its own hash inside."""
    for prefix in (books.POINTS, proofs.FOLDER, "open/"):
        for stored in target.names(prefix):
            if stored.name.endswith(".json"):
                yield _document(target, stored), stored.size


def _document(target: Repository, stored: Stored) -> str:
    try:
        with target.get(stored.name) as source:
            books.decode(source.read(), stored.name)
    except (Damaged, Missing) as fault:
        return str(fault)
    return ""


def _parts(target: Repository, parts: Iterable[Part], advance: Advance) -> _Step:
    for part in parts:
        yield _part(target, part, advance), part.size


def _part(target: Repository, part: Part, advance: Advance) -> str:
    try:
        measured = _read(target, part.name, advance)
    except Missing as fault:
        return str(fault)
    same = (measured.size, measured.sha256) == (part.size, part.sha256)
    return "" if same else f"{part.name} is damaged: it is not what the catalogue says."


def _segments(target: Repository, advance: Advance) -> _Step:
    for stored in target.names("wal/"):
        measured = _read(target, stored.name, advance)
        same = measured.sha256[: log.HASH_DIGITS] == log.stored_hash(stored.name)
        yield "" if same else f"{stored.name} is damaged: it is not what its name says.", stored.size


def _read(target: Repository, name: str, advance: Advance) -> Measured:
    with target.get(name) as source:
        measured = Measured(source, advance)
        drain(measured)
    return measured


def _gaps(target: Repository, known: Catalogue) -> _Step:
    """The first segment that is missing of the log that kept chains need, for each cluster."""
    found = chains(known)
    why = retention.reasons(found, retention.configured(), proofs.proven(target))
    for system, begin in retention.log_begins(found, why).items():
        pieces = Log(log.finished(target, system)).following(0, begin)
        first = min((log.number(piece.name) for piece in pieces), default=begin)
        missing = log.gap(first, pieces)
        if missing is not None:
            name = log.segment_name(log.timeline(pieces[0].name), missing)
            yield f"Segment {name} of the log is missing: not every moment after it can be restored.", 0


def told(found: Verified) -> str:
    """What was found, in a sentence."""
    verdict = f"{counted(len(found.findings), 'fault')} found." if found.findings else "all are as they were stored."
    return f"Read {counted(found.objects, 'object')}, {found.bytes / 1e6:.1f} MB: {verdict}"
