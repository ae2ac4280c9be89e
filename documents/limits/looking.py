"""Look at content as it comes in: what kind it is, and then by the rules of that kind, level by level."""

from collections.abc import Callable, Iterable, Iterator

from documents import kinds
from documents.limits import gzips, images, markup, pdfs, tars, zips
from documents.limits.bounds import Budget, hostile, refuse_depth
from documents.limits.reading import Reading, Source, Walk

_TAIL = 65_557  # bytes; no ZIP's end record stands further from the end
_IMAGES = {
    "image/png": images.png,
    "image/gif": images.gif,
    "image/bmp": images.bmp,
    "image/jpeg": images.jpeg,
    "image/tiff": images.tiff,
}
_ARCHIVES: dict[str, Callable[[Source, zips.Opened], Reading[None]]] = {
    "application/zip": zips.walk,
    "application/gzip": gzips.walk,
    "application/x-tar": tars.walk,
}
_NO_LOOK = "Archives of this kind are not looked into; send a ZIP."
_REFUSED = {
    "application/x-executable": "A program is no document.",
    "application/x-7z-compressed": _NO_LOOK,
    "application/vnd.rar": _NO_LOOK,
    "application/x-bzip2": _NO_LOOK,
    "application/x-xz": _NO_LOOK,
    "application/zstd": _NO_LOOK,
    "application/vnd.ms-cab-compressed": _NO_LOOK,
}
_MAY_NAME_TYPE = ("text/html", "image/svg+xml")


def within_limits(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Pass a stream on; raise FHIRError 422 as soon as it goes beyond a limit, at the latest at its end."""
    budget = Budget()
    look = Look(budget, 0)
    for piece in pieces:
        budget.sent += len(piece)
        look.feed(piece)
        yield piece
    look.end()


class Look(zips.Opened):
    """Content that is `depth` archives deep; raises FHIRError 422."""

    def __init__(self, budget: Budget, depth: int) -> None:
        self._budget, self._depth = budget, depth
        self._head, self._tail, self._kind = b"", b"", ""
        self._walk: Walk | None = None

    def feed(self, piece: bytes) -> None:
        """Look at some more of it."""
        self._tail = (self._tail + piece)[-_TAIL:]
        if self._walk:
            self._walk.feed(piece)
            return
        self._head += piece
        if len(self._head) >= kinds.HEAD:
            self._begin()

    def end(self) -> None:
        """It has all come."""
        if not self._walk:
            self._begin()
        assert self._walk  # noqa: S101  # nosec B101  just begun
        self._walk.feed(b"")
        if self._kind != "application/zip" and zips.is_at_the_end(self._tail):
            raise hostile("The content is two things at once: what it begins as, and a ZIP archive.")

    def file(self) -> tuple[Callable[[bytes], None], Callable[[], None]]:
        """A file inside of it: counted, and looked at like content of its own."""
        self._budget.entry()
        inner = Look(self._budget, self._depth + 1)

        def feed(data: bytes) -> None:
            self._budget.expand(data)
            inner.feed(data)

        return feed, inner.end

    def _begin(self) -> None:
        self._kind = "application/x-tar" if tars.is_tar(self._head[: kinds.HEAD]) else kinds.kind_of(self._head)
        self._walk = Walk(self._reader(Source()))
        self._walk.feed(self._head) if self._head else None

    def _reader(self, source: Source) -> Reading[None]:
        if self._kind in _REFUSED:
            raise hostile(_REFUSED[self._kind])
        if self._kind in _ARCHIVES:
            refuse_depth(self._depth + 1)
            return _ARCHIVES[self._kind](source, self)
        if self._kind in _IMAGES:
            return _IMAGES[self._kind](source)
        if b"%PDF-" in self._head:
            return pdfs.walk(source, self, self._budget)
        if markup.is_markup(self._head):
            return markup.walk(source, self._kind in _MAY_NAME_TYPE)
        return source.skip(0)
