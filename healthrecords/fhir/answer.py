"""What an interaction answers, before it becomes HTTP (or an entry of a Bundle)."""

from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime
from typing import Any

from django.conf import settings

from healthrecords.records import RecordVersion


@dataclass
class Answer:
    """A status, the body (text that is already JSON, or a value that becomes it), and the headers.

    `version` is the one that was written or read, where the answer is about one.
    """

    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    version: RecordVersion | None = None


def base_url() -> str:
    """The address of the API, without a slash at the end."""
    return f"{settings.PUBLIC_URL}/fhir"


def etag(version: int) -> str:
    """The weak ETag of a version (R4 §3.1.0.1.3)."""
    return f'W/"{version}"'


def version_headers(version: RecordVersion) -> dict[str, str]:
    """ETag and Last-Modified of a version."""
    return {"ETag": etag(version.version), "Last-Modified": http_date(version.recorded_at)}


def http_date(time: datetime) -> str:
    """A time as HTTP writes it."""
    return format_datetime(time, usegmt=True)


def location(version: RecordVersion) -> str:
    """The address of a version."""
    return f"{base_url()}/{version.resource_type}/{version.logical_id}/_history/{version.version}"
