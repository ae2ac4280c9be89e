"""The body of a request as it comes, for content that is never whole in memory."""

from collections.abc import Iterator

from django.http import HttpRequest

from healthrecords.fhir.outcome import FHIRError

_PIECE = 64 * 1024


def body_of(request: HttpRequest, length: int) -> Iterator[bytes]:
    """Yield `length` bytes of the body; raise FHIRError 400 when the sender hangs up before the end."""
    left = length
    while left:
        try:
            piece = request.read(min(_PIECE, left))
        except OSError:
            piece = b""
        if not piece:
            raise FHIRError.of(400, "incomplete", "The upload ended early; nothing of it was kept.")
        left -= len(piece)
        yield piece
