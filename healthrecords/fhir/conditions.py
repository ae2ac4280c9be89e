"""Conditional requests: If-Match, If-None-Match, If-Modified-Since, Prefer (R4 §3.1.0; RFC 9110 §13)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from django.http import HttpRequest

from healthrecords.records import RecordVersion

from .outcome import FHIRError

_TAG = re.compile(r'(?:W/)?"([^"]*)"')
PREFERENCES = frozenset({"minimal", "representation", "OperationOutcome"})


@dataclass(frozen=True)
class Conditions:
    """What a request's headers demand. Tags are version ids; None where a header is absent."""

    match: frozenset[str] | None = None
    none_match: frozenset[str] | None = None
    modified_since: datetime | None = None
    none_exist: str = ""
    prefer: str = "representation"

    def refuse_stale(self, version: int | None) -> None:
        """Raise FHIRError 412 unless the stored version (None: there is none) is one that the client expects."""
        if self.match is not None and not self._names(self.match, version):
            now = f"the record is at version {version}" if version else "there is no such record"
            raise FHIRError.of(412, "conflict", f"If-Match does not fit: {now}; read it again and repeat the change.")
        if self.none_match is not None and self._names(self.none_match, version):
            raise FHIRError.of(412, "conflict", "If-None-Match does not fit: the record exists already.")

    def unchanged(self, version: RecordVersion) -> bool:
        """Whether the client has this version already (status 304)."""
        if self.none_match is not None:
            return self._names(self.none_match, version.version)
        return self.modified_since is not None and version.recorded_at.replace(microsecond=0) <= self.modified_since

    @staticmethod
    def _names(tags: frozenset[str], version: int | None) -> bool:
        return version is not None and ("*" in tags or str(version) in tags)


def of_request(http: HttpRequest) -> Conditions:
    """Read the conditions of a request; raise FHIRError 400 for a header that cannot be understood."""
    return of_headers(http.headers)


def of_headers(headers: Mapping[str, str]) -> Conditions:
    """The same from headers alone, as an entry of a Bundle carries them."""
    return Conditions(
        match=_tags("If-Match", headers.get("If-Match")),
        none_match=_tags("If-None-Match", headers.get("If-None-Match")),
        modified_since=_time(headers.get("If-Modified-Since")),
        none_exist=headers.get("If-None-Exist", "").strip(),
        prefer=_preference(headers.get("Prefer", "")),
    )


def _tags(name: str, value: str | None) -> frozenset[str] | None:
    if value is None:
        return None
    if value.strip() == "*":
        return frozenset({"*"})
    found = [_TAG.fullmatch(part.strip()) for part in value.split(",")]
    if not all(found):
        raise FHIRError.of(400, "invalid", f'{name} takes entity tags such as W/"3".')
    return frozenset(tag[1] for tag in found if tag)


def _time(value: str | None) -> datetime | None:
    try:
        time = parsedate_to_datetime(value) if value else None
        return time.replace(tzinfo=time.tzinfo or UTC) if time else None
    except ValueError:
        return None  # RFC 9110 §13.1.3: a date that is none is ignored


def _preference(value: str) -> str:
    wanted = re.search(r"return=(\w+)", value)
    return wanted[1] if wanted and wanted[1] in PREFERENCES else "representation"
