"""Content that is scanned while it passes by on its way to the store."""

import logging
from collections.abc import Iterable, Iterator
from datetime import datetime

from django.conf import settings
from django.utils import timezone

from documents.models import ScanState
from documents.scanning import clamd, record
from healthrecords.access.request import Actor
from healthrecords.fhir.outcome import FHIRError

log = logging.getLogger(__name__)


class Scan:
    """One upload before the scanner. `state` and `at` say what came out once everything has passed.

    A scanner that fails does not stop the upload: the content is quarantined then.
    """

    def __init__(self, author: Actor) -> None:
        self.state = ScanState.QUARANTINED if settings.CLAMAV else ScanState.UNSCANNED
        self.at: datetime | None = None
        self._author = author

    def of(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        """Pass a stream on; at its end raise FHIRError 422 if it is infected, so that it is never stored."""
        stream = self._begun()
        try:
            for piece in pieces:
                stream = self._sent(stream, piece)
                yield piece
            self._end(stream)
        finally:
            if stream:
                stream.close()

    def _begun(self) -> clamd.Stream | None:
        try:
            return clamd.Stream(settings.CLAMAV) if settings.CLAMAV else None
        except clamd.ScannerFault as fault:
            _log(fault)
            return None

    def _sent(self, stream: clamd.Stream | None, piece: bytes) -> clamd.Stream | None:
        if stream is None:
            return None
        try:
            stream.send(piece)
        except clamd.ScannerFault as fault:
            stream.close()
            _log(fault)
            return None
        return stream

    def _end(self, stream: clamd.Stream | None) -> None:
        try:
            verdict = stream.verdict() if stream else None
        except clamd.ScannerFault as fault:
            _log(fault)
            return
        if verdict and verdict.threat:
            record.found(verdict.threat, self._author)
            text = f"The virus scanner found {verdict.threat} in the content; nothing of it was kept."
            raise FHIRError.of(422, "security", text)
        if verdict:
            self.state, self.at = ScanState.CLEAN, timezone.now()


def _log(fault: clamd.ScannerFault) -> None:
    log.warning("an upload is quarantined: %s", fault)
