"""Keep and give back content: the store, the row and the checksum together."""

import hashlib
import logging
import weakref
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from healthrecords.access.request import Actor
from healthrecords.fhir.outcome import FHIRError

from . import kinds, storage
from .limits.looking import within_limits
from .models import Content
from .scanning.gate import refuse_unless_clean
from .scanning.passing import Scan
from .sealing import Damaged, Seal, new_key, sealed_size, span_of

log = logging.getLogger(__name__)


class Different(FHIRError):
    """The stored content is not what the row says it is."""


class _Measured:
    """A stream that counts, hashes and looks at the beginning of what passes; raises FHIRError 413 beyond the limit."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self.size, self.head, self._hash, self._pieces = 0, b"", hashlib.sha256(), pieces

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._pieces:
            self.size += len(piece)
            refuse_too_large(self.size)
            self.head = (self.head + piece[: kinds.HEAD])[: kinds.HEAD]
            self._hash.update(piece)
            yield piece

    @property
    def sha256(self) -> bytes:
        return self._hash.digest()


def refuse_too_large(size: int) -> None:
    """Raise FHIRError 413 for content of more bytes than the setting permits."""
    if size > settings.DOCUMENT_MAX_BYTES:
        text = f"A document may have {settings.DOCUMENT_MAX_BYTES // 1024**2} MB at most."
        raise FHIRError.of(413, "too-long", text)


@contextmanager
def kept(pieces: Iterable[bytes], claimed_type: str, author: Actor) -> Iterator[Content]:
    """Store a stream and give its row, to be saved in the block; if that or the transaction around it fails, the object
    goes again.

    Raises StoreFault, and FHIRError 413 for a stream that is too long; nothing is left behind then.
    """
    seal, measured, scan = Seal(new_key(), storage.new_name()), _Measured(pieces), Scan(author)
    storage.put(seal.name, seal.close(scan.of(within_limits(measured))))
    try:
        yield Content(
            object_name=seal.name,
            data_key=seal.key.hex(),
            size=measured.size,
            sha256=measured.sha256,
            claimed_type=claimed_type,
            true_type=kinds.kind_of(measured.head),
            scan_state=scan.state,
            scanned_at=scan.at,
            created_at=timezone.now(),
            author_kind=author.kind,
            author_id=author.id,
            author=author.name,
        )
    except BaseException:
        _take_back(seal.name)
        raise
    transaction.on_commit(_Pending(seal.name).keep)


class _Pending:
    """An object whose row is not committed yet: a rollback forgets its hooks, this with them, and the object goes."""

    def __init__(self, name: str) -> None:
        self._end = weakref.finalize(self, _take_back, name)

    def keep(self) -> None:
        """The row is there to stay."""
        self._end.detach()


def _take_back(name: str) -> None:
    try:
        storage.remove(name, unlock=True)
    except FHIRError as fault:
        log.error("an object without row stays in the store; `documents check` finds it", exc_info=fault)


def whole(content: Content) -> Iterator[bytes]:
    """Yield all of it; the last piece comes only once size and checksum are those of the row, else FHIRError 500.

    Raises FHIRError 403 or 423 for content that the virus scanner keeps from leaving.
    """
    refuse_unless_clean(content)
    yield from unguarded(content)


def unguarded(content: Content) -> Iterator[bytes]:
    """Yield what `whole` gives for those who look at it without giving it out: the scanner, and whoever checks."""
    yield from verified(content, storage.get(content.object_name))


def verified(content: Content, sealed: Iterable[bytes]) -> Iterator[bytes]:
    """Open what is said to be the object of a row, wherever it comes from; FHIRError 500 unless it is just that."""
    digest, size, held = hashlib.sha256(), 0, b""
    for piece in _opened(content, content.seal.open(sealed)):
        if held:
            yield held
        digest.update(piece)
        size, held = size + len(piece), piece
    if (digest.digest(), size) != (bytes(content.sha256), content.size):
        raise _damaged(content)
    yield held


def is_of_its_size(content: Content) -> bool:
    """Whether the object has the size that it must have; raise Missing where there is none."""
    return storage.size(content.object_name) == sealed_size(content.size)


def part(content: Content, start: int, end: int) -> Iterator[bytes]:
    """Yield the bytes from `start` to before `end`, from their chunks alone; raise as `whole` does."""
    refuse_unless_clean(content)
    span = span_of(start, end, content.size)
    sealed = storage.get(content.object_name, span.begin, span.end)
    yield from _opened(content, content.seal.open_part(sealed, span, content.size))


def _opened(content: Content, pieces: Iterator[bytes]) -> Iterator[bytes]:
    try:
        yield from pieces
    except Damaged as fault:
        raise _damaged(content) from fault


def _damaged(content: Content) -> FHIRError:
    text = f"The stored content of {content} is not what was sent, so that it is not given out; tell the operator."
    return Different.of(500, "exception", text)
