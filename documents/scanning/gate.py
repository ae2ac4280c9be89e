"""Whether content may leave: infected content never; with a scanner, only what it has found clean."""

from django.conf import settings

from documents.models import Content, ScanState
from healthrecords.fhir.outcome import FHIRError

RETRY = 300  # seconds; as often as the timetable scans what waits


def refuse_unless_clean(content: Content) -> None:
    """Raise FHIRError 403 for infected content, and 423 for content that still waits for the scanner.

    423 (RFC 4918 §11.3): the content exists and its state, not the request, is in the way. A 409 would tell a FHIR
    client of a version conflict, a 503 a proxy that this server is ill.
    """
    if content.scan_state == ScanState.REFUSED:
        text = f"The virus scanner found {content.threat} in this content, so that it is not given out."
        raise FHIRError.of(403, "security", text)
    if settings.CLAMAV and content.scan_state != ScanState.CLEAN:
        text = f"This content waits for the virus scanner; try again in {RETRY // 60} minutes."
        error = FHIRError.of(423, "transient", text)
        error.headers["Retry-After"] = str(RETRY)
        raise error
